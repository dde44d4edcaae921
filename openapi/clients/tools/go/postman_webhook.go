package postroom

// PostmanWebhook is any body: a gateway takes those of Postman, for which there are types here, and all others.
// Of a union the generator makes code that needs another module, and that refuses what none of its parts is.
type PostmanWebhook = interface{}
