// Package native is SCRI over HTTP: the gateway's own dialect, in which all that
// package scri can hold can be said, so that one gateway can stand behind another
// and nothing is lost between them.
//
// Objects have the names of scri's struct tags. Beyond them:
//
//   - Members without a word in the language stand beside the known ones and are
//     kept in the Ext of their object, whose dialect is "native". What another
//     dialect left in an Ext stands in a member "ext" of the object, with its
//     dialect, members and form. An object that has both keeps its "ext" as one
//     more unknown member, so that nothing is lost; the same goes for an "ext"
//     that claims to be native. Where objects have no place for unknown members
//     of their own (an opaque part with "raw", an event, the only choice of an
//     answer), a native "ext" is written out like any other.
//   - Objects without an Ext (signature, usage, lineage and the like) that hold
//     something unknown are kept verbatim in the Ext of the object around them,
//     and are written from there as long as their typed value is the same.
//     Only "routing" refuses unknown members: a misspelled wish must not pass
//     for a wish that was granted.
//   - A part may spell its "kind" as "type". A part of an unknown kind is carried
//     as an opaque one and written as it stood.
//   - A known member that is there with its zero value (false, 0, "", [], {})
//     is remembered in Ext.Form as `name=value`; other words of the form are
//     "kind:type", "stop:string", "tool_choice:string", "type:function",
//     "stream:route" and "wrapped" (an opaque part of native that stood in "raw").
//
// An answer shows the content of its first choice twice: in the exact "parts"
// (or "output", when it is not exactly one message of the assistant), and in
// "content", "thinking" and "tool_calls" for those who want no more than that.
package native

import (
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Name is the name of the dialect.
const Name = "native"

// Paths of the dialect.
const (
	pathChat   = "/api/v1/chat"
	pathStream = "/api/v1/chat/stream"
	pathCount  = "/api/v1/count"
	pathModels = "/api/v1/models"
)

type native struct{}

var (
	_ dialect.Dialect = native{}
	_ dialect.Counter = native{}
	_ dialect.Lister  = native{}
)

// New returns the dialect.
func New() dialect.Dialect { return native{} }

// Name returns "native".
func (native) Name() string { return Name }

// Routes returns the paths of the SCRI API.
func (native) Routes() []dialect.Route {
	return []dialect.Route{
		{Method: http.MethodPost, Pattern: pathChat, Op: scri.OpChat},
		{Method: http.MethodPost, Pattern: pathStream, Op: scri.OpChat, Stream: dialect.Always},
		{Method: http.MethodPost, Pattern: pathCount, Op: scri.OpCount, Stream: dialect.Never},
		{Method: http.MethodPost, Pattern: pathEmbed, Op: scri.OpEmbed, Stream: dialect.Never},
		{Method: http.MethodGet, Pattern: pathModels, Op: scri.OpModels, Stream: dialect.Never},
	}
}

// Traits demands nothing: signatures travel with their issuer's name, so none
// is foreign here, and whoever comes behind judges them.
func (native) Traits() scri.Traits {
	return scri.Traits{Thinking: scri.ThinkingAny, Developer: true, LateSystem: true, Stateful: true}
}
