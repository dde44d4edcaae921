// validatorUrl: by default Swagger UI sends the document's address to a validator of its makers.
SwaggerUIBundle({ dom_id: "#ui", url: "openapi.json", deepLinking: true, validatorUrl: null });
