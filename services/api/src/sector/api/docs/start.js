// The page may lie below a prefix, such as /api: everything is named relative to it.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#docs", deepLinking: true, tryItOutEnabled: true, persistAuthorization: false });
