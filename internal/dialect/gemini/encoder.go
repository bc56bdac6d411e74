package gemini

import (
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// encoder writes the objects of the dialect and notes what it could not say.
type encoder struct {
	dialect.Trail
	w      wire.Writer
	answer bool // what is written goes to a client, not to a provider
	line   bool // no line ends may stand in raw values
	gen    int  // generation of the model, see generation
	older  bool // the model takes schemas in Google's own spelling alone
	check  wire.Scanner
	calls  dialect.CallBook
	claims *claims // what is cited in the choice at hand; nil = nothing may be
}

// ext writes the members that only this dialect knows, less those that were
// written already. It is called for each object that is written.
func (e *encoder) ext(x *scri.Ext, written ...string) {
	own := x.Of(Name)
	if own == nil {
		e.Foreign(x)
		return
	}
	if len(own.Members) == 0 {
		return
	}
	s := wire.NewScanner(own.Members)
	for name := range s.Members() {
		if slices.Contains(written, camel(name)) {
			if s.Kind() != wire.Null && (s.Kind() != wire.Object || !merged(name)) {
				e.Drop("ext/"+dialect.Escape(name), "it is said otherwise")
			}
			continue
		}
		e.raw(s.Member())
	}
}

// merged reports whether what an object of that name holds is written into the one
// of the typed fields.
func merged(name string) bool {
	switch name {
	case "generationConfig", "toolConfig", "logprobsResult", "promptFeedback":
		return true
	default:
		return false
	}
}

// raw writes a value or a member as it stands.
func (e *encoder) raw(v []byte) {
	if !e.line || slices.IndexFunc(v, func(c byte) bool { return c == '\n' || c == '\r' }) < 0 {
		e.w.Raw(v)
		return
	}
	e.w.Comma()
	e.w.B = wire.AppendCompact(e.w.B, v)
}

// member returns the raw value of a member of our own Ext, or nil.
func member(x *scri.Ext, name string) []byte { return dialect.Member(x, Name, name) }

// members of an object that our own Ext holds under a name, or nil.
func nested(x *scri.Ext, name string) *scri.Ext {
	raw := member(x, name)
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	return &scri.Ext{Dialect: Name, Members: raw}
}

// key writes the name of a member, in the spelling that x notes.
func (e *encoder) key(x *scri.Ext, name string) { e.w.Key(spelling(x, name)) }

func spelling(x *scri.Ext, name string) string {
	if x = x.Of(Name); x != nil && strings.IndexByte(x.Form, '_') >= 0 {
		if s := snake(name); s != name && dialect.HasWord(x.Form, s) {
			return s
		}
	}
	return name
}

func (e *encoder) str(key, v string) {
	if v != "" {
		e.w.Key(key)
		e.w.Str(v)
	}
}

// isObject reports whether raw is one JSON object and nothing else.
func (e *encoder) isObject(raw []byte) bool {
	e.check.Reset(raw)
	if e.check.Kind() != wire.Object {
		return false
	}
	e.check.Skip()
	return e.check.End() == nil
}
