package sdktest

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// client is one of the SDKs behind what they have in common. Each test tells
// what a user of that SDK could notice, in that SDK's own words.
type client interface {
	name() string
	// send asks, as a stream or not. each is called for every piece of a stream.
	send(ctx context.Context, a *ask, stream bool, each func()) (*got, error)
	// models lists the ids of the models.
	models(ctx context.Context) ([]string, error)
	// failure reads the SDK's own type of error out of err.
	failure(err error) (failure, bool)
}

// clients are the SDKs against a gateway.
func clients(url string) []client {
	return []client{newOpenAI(url), newAnthropic(url), newOllama(url), newGoogle(url)}
}

// ask is a request in no SDK's words.
type ask struct {
	model       string
	system      string
	turns       []turn
	tools       []tool
	mustCall    string // the tool that must be called
	schema      string // JSON Schema that the answer must have
	think       bool
	max         int64
	stop        []string
	temperature *float64
	logprobs    bool
}

// turn is one message of the conversation: the user's text and image, an
// earlier answer, or the results of its calls.
type turn struct {
	text    string
	image   []byte // PNG
	answer  *got
	results []result
}

type tool struct{ name, description, schema string }

type result struct{ id, name, text string }

// got is what an SDK made of an answer.
type got struct {
	text      string
	thinking  string
	signature string
	calls     []call
	finish    string // in the SDK's own words
	stopped   string // the stop sequence met
	model     string
	usage     usage
	logprobs  []string // the tokens that have one
	header    http.Header
	pieces    int
	own       any // the SDK's own message, to go on from
}

type call struct{ id, name, args string }

// usage is what the SDK counts: input is what it calls so, for Anthropic without
// the cache.
type usage struct{ Input, Output, CacheRead, CacheWrite, Thinking int64 }

// failure is an error of the API as the SDK tells it.
type failure struct {
	status  int
	kind    string // type
	code    string
	param   string
	message string
	header  http.Header
}

// hello asks a model something simple.
func hello(model string) *ask {
	return &ask{model: model, turns: []turn{{text: "Hello"}}}
}

// keeper is a transport that keeps the header of the last answer.
type keeper struct {
	mu   sync.Mutex
	last http.Header
	sees func(b []byte)    // what comes of a body, if not nil
	adds map[string]string // headers
}

// RoundTrip sends r.
func (k *keeper) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(k.adds) > 0 {
		r = r.Clone(r.Context())
		for name, value := range k.adds {
			r.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		k.mu.Lock()
		k.last = resp.Header
		k.mu.Unlock()
		if k.sees != nil {
			resp.Body = &seen{resp.Body, k.sees}
		}
	}
	return resp, err
}

type seen struct {
	io.ReadCloser
	tell func(b []byte)
}

func (s *seen) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	s.tell(b[:n])
	return n, err
}

func (k *keeper) header() http.Header {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last
}
