package scri

import (
	"io"
	"net/http"
)

// Relay is a request that the gateway passes on without acting on what is in it:
// its bytes go to the provider that owns the model, and the answer's bytes come
// back.
type Relay struct {
	Op       Op
	Method   string
	Path     string      // as the API has it, with its query: "/v1/files?limit=2"
	Dialects []string    // of providers that understand the path
	Header   http.Header // of the client's request; read only
	Body     io.Reader   // nil = there is none
	Length   int64       // of the body; -1 = it does not say
	Models   bool        // the body may name a model
	Provider string      // whom the client wishes for; "" = whoever owns the model
	// Sovereign says that nothing may leave zone local.
	Sovereign bool
}

// RelayAnswer is what came back. Its body must be closed; it is bound to the
// context of the request. The exchange's lineage is complete once the body was
// read to its end or closed.
type RelayAnswer struct {
	Status int
	Header http.Header   // fit for the client
	Body   io.ReadCloser // errors are *Error
}
