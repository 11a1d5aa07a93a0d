"""The bot process: plays a faction over HTTP, as any client would."""
