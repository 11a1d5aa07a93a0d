"""What `./pants run services/standalone` runs: the sources as they are, which starts sooner than a packaged PEX."""

from sector.standalone.__main__ import main

if __name__ == "__main__":
    main()
