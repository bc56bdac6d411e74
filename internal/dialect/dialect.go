// Package dialect defines what a wire format for chatting with language models
// must do to take part: both halves of it, as a server towards clients and as a
// client towards providers. Dialects meet in package scri, so N of them give
// N x N translations. Each lives in a folder of its own below; all/ is the table.
//
// # Rules for dialects
//
//   - Pure: no clock, no network, no log, no package-level state.
//   - A known member with a null value, and every unknown member, goes verbatim
//     into the Ext of its object (Ext.Dialect = the dialect's name) and is
//     written again by the same dialect. Another dialect's encoder reports each
//     non-null member of a foreign Ext as dropped, at "<object>/ext/<name>".
//   - Requests: a known scalar of the wrong type is an invalid error that names
//     the field. Parts, content blocks, tools: look at the type first, then
//     decode that kind's shape; on any misfit rewind and carry the whole object
//     as an opaque part (Raw, Ext.Dialect). Never refuse an unknown part.
//   - Answers: nothing is refused that can be read at all; a misfit goes to Ext.
//   - Ext.Form remembers spellings (see package scri); losing it is no loss. A word
//     "~name" in it marks the member of that name as [Slight]: it is written again
//     by its own dialect, and no other reports it.
//   - What the target cannot express is reported as a scri.Warning whose Path
//     points at the finest SCRI node concerned. Nothing lost without a warning,
//     no warning without a loss, nothing smuggled in foreign fields.
//   - Words that belong to one dialect (Finish.Raw, Usage.Raw, Signature.Value)
//     are written only when their Dialect is the encoder's own and what they
//     mean still agrees with the typed field beside them.
package dialect

import (
	"io"
	"net/http"
	"net/url"

	"github.com/aratta-gateway/aratta/scri"
)

// Dialect is one wire format, both halves.
type Dialect interface {
	// Name is the short name used in configuration and lineage: "openai".
	Name() string
	// Routes are the paths at which a server speaks the dialect.
	Routes() []Route
	// Traits is what the format demands of a history, for scri.Port.
	Traits() scri.Traits
	Server
	Client
}

// Route is one path of a dialect.
type Route struct {
	Method  string
	Pattern string // as net/http.ServeMux has it, without the method
	Verb    string // what follows the last colon of the path, where an API tells its operations apart by that; see Mount
	Op      scri.Op
	Variant string // tells apart routes of one Op with different shapes: "generate"
	Stream  Mode   // whether an answer is a stream when the body does not say
}

// Mode says how a route decides between a whole answer and a stream.
type Mode uint8

// The modes.
const (
	ByBody Mode = iota // the decoded request's Stream says
	Always             // the route only streams
	Never              // the route never streams
)

// Incoming is a client's request as a dialect's server half sees it.
type Incoming struct {
	Route  Route
	Header http.Header
	Query  url.Values
	Param  func(name string) string // path parameters; may be nil
	Body   []byte                   // never changed; decoded trees alias it; gone when the exchange is over
	Desk   *Desk                    // what the request may be decoded into; may be nil
	Req    *scri.ChatRequest        // the decoded request, from then on
	More   []*scri.ChatRequest      // set by DecodeRequest: further requests of the same body, each to be answered on its own; their answers are further choices
	Embed  *scri.EmbedRequest       // the decoded request of an embed route
}

// Server is the half that clients talk to. Errors are *scri.Error.
type Server interface {
	// DecodeRequest reads a chat or count request. An invalid one is refused with
	// an error of kind invalid whose Path names the field in the client's body.
	DecodeRequest(in *Incoming) (*scri.ChatRequest, error)
	// EncodeResponse appends a whole answer to b.
	EncodeResponse(b []byte, in *Incoming, resp *scri.ChatResponse) ([]byte, []scri.Warning)
	// EncodeStream returns the encoder of one streamed answer.
	EncodeStream(in *Incoming) StreamEncoder
	// EncodeError appends the body of a failed request and returns its status.
	EncodeError(b []byte, e *scri.Error) (int, []byte)
}

// StreamEncoder writes one answer as a stream. Its methods append to b and may
// append nothing. Frames appended by one call are complete.
type StreamEncoder interface {
	ContentType() string
	// Event appends the frames of one event.
	Event(b []byte, e *scri.StreamEvent) []byte
	// End appends the end of the stream: clean for nil, else the error in the
	// dialect's own shape, never a clean end.
	End(b []byte, err *scri.Error) []byte
	// Ping appends something that keeps connections alive and clients ignore, or
	// nothing where the format has no such thing.
	Ping(b []byte) []byte
	// Warnings are the losses so far.
	Warnings() []scri.Warning
}

// Target is what a dialect's client half must know of where a request goes.
type Target struct {
	Provider  string
	Model     string      // the provider's own name of the model; replaces the request's
	MaxOutput int64       // output limit of the model, for formats that demand one; 0 = unknown
	NumCtx    int64       // context window to ask a local runtime for; 0 = do not ask
	Uncut     bool        // a prompt that does not fit the window shall be refused, where the runtime would cut it in silence
	Thinking  string      // what the model can do of it, where the provider tells: ThinkingNone or ThinkingSwitch; "" = all, or unknown
	KeepAlive string      // how long a local runtime shall keep the model; "" = do not ask
	WantUsage bool        // ask for usage in streams where the format must be asked
	LogProbs  bool        // ask for log-probabilities though the request does not
	Header    http.Header // of the client's request where it speaks the same format, else nil: what of it belongs to the format (betas) goes along
	Buf       []byte      // may hold the body of the request, instead of memory of its own; whoever sends it uses Buf again
	Source    []byte      // the client's request, if long texts may stay where they lie in it, see Outgoing.Pieces; else nil
	Piece     int         // which texts are long, in bytes; 0 = as is cheapest
	Variant   string      // of the format, where a provider has one of its own: the dialect's documentation names them; "" = none
	Reasoning string      // how the provider wants thinking spelled, where one format has several ways; "" = the format's own
}

// What a [Target]'s model can do of thinking.
const (
	ThinkingNone   = "none"
	ThinkingSwitch = "switch" // on or off, without degrees
)

// Outgoing is a request to a provider. Path is relative to the provider's base
// address; Header holds only what the format itself demands. A body is JSON where
// Header does not name another type.
type Outgoing struct {
	Method string
	Path   string
	Header http.Header
	Body   []byte
	// Pieces, if any, are the body instead of Body. They alias Target.Source, and
	// there are none without one.
	Pieces [][]byte
}

// Answer is what a provider sent back.
type Answer struct {
	Status   int
	Header   http.Header
	Body     []byte    // for whole answers and errors
	Stream   io.Reader // for streams; closed by its owner, not by the dialect
	Target   *Target
	MaxFrame int // bound of one frame of a stream in bytes; 0 = DefaultMaxFrame
}

// DefaultMaxFrame bounds one event of a stream.
const DefaultMaxFrame = 16 << 20

// Client is the half that talks to providers. Errors are *scri.Error without a
// provider's name and request id; the provider package fills them in.
type Client interface {
	// EncodeRequest writes the request for the target, and tells what it could
	// not carry over or had to add. It refuses only what cannot be sent at all.
	EncodeRequest(req *scri.ChatRequest, t *Target) (*Outgoing, []scri.Warning, error)
	// DecodeResponse reads a whole answer, of status 2xx. An error in a 200 body
	// is returned as an error.
	DecodeResponse(a *Answer) (*scri.ChatResponse, error)
	// DecodeStream reads a streamed answer. The result knows Pending (see
	// scri.Pending); an end without a finish reason is an error of kind
	// truncated, an error inside the stream is returned by Next after usage that
	// may still follow it. Close of the result does not close a.Stream.
	DecodeStream(a *Answer) scri.Stream
	// DecodeError reads the answer of any other status.
	DecodeError(a *Answer) *scri.Error
}

// Counter is the optional part of a dialect that counts tokens.
type Counter interface {
	EncodeCount(b []byte, in *Incoming, c *scri.CountResponse) []byte
	EncodeCountRequest(req *scri.ChatRequest, t *Target) (*Outgoing, []scri.Warning, error)
	DecodeCount(a *Answer) (*scri.CountResponse, error)
}

// Lister is the optional part of a dialect that lists models. EncodeModel tells
// about one of them, in the shape of the route it was asked at.
type Lister interface {
	EncodeModels(b []byte, in *Incoming, l *scri.ModelList) []byte
	EncodeModel(b []byte, in *Incoming, m *scri.ModelInfo) []byte
	ListRequest(t *Target) *Outgoing
	DecodeModels(a *Answer) (*scri.ModelList, error)
}
