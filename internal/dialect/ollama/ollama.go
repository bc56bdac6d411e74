// Package ollama speaks the native API of Ollama: /api/chat and /api/generate
// with their streams of JSON lines, /api/embed with its elder /api/embeddings, and
// the lists of models.
//
// # How it maps
//
//   - A wire message has one text, one list of images, one thought and one list
//     of calls, without an order between them: it becomes thinking, text, images,
//     calls. Several texts for Ollama are joined, with a line end between them
//     unless the model wrote them itself, as those are pieces of one text.
//   - A message of the role tool becomes one tool_result. Calls and results
//     without ids are paired by name and order, and the calls' ids are made.
//   - /api/generate becomes a conversation of a system and a user message. A
//     request that came that way is sent that way as long as nobody made more
//     of it; Ext.Form knows the word "generate".
//   - The counts and times that end an answer are one thing to Ollama. They become
//     its Usage: the counts as such, and all of them as Usage.Raw, which is where
//     every dialect keeps what it tells of the cost of an answer.
//   - Ext of a request holds options under "options", and of a tool or a call what
//     stood in its function under "function": each only what has no typed field.
//   - The words of Ext.Form: "+x", the member x was there though it is empty or
//     says what is so anyway; "-x", x was absent though it is usually there;
//     "x=y", x was spelled y.
package ollama

import (
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Name is the short name of the dialect.
const Name = "ollama"

// The variants of routes.
const (
	VariantGenerate = "generate"
	VariantPS       = "ps"
	VariantVersion  = "version"
)

// Paths of the API.
const (
	pathChat     = "/api/chat"
	pathGenerate = "/api/generate"
	pathTags     = "/api/tags"
	pathShow     = "/api/show"
	pathPS       = "/api/ps"
	pathVersion  = "/api/version"
)

type ollama struct{}

var (
	_ dialect.Dialect = ollama{}
	_ dialect.Lister  = ollama{}
)

// New returns the dialect.
func New() dialect.Dialect { return ollama{} }

// Name returns "ollama".
func (ollama) Name() string { return Name }

// Routes returns the paths at which Ollama's clients ask.
func (ollama) Routes() []dialect.Route {
	return []dialect.Route{
		{Method: http.MethodPost, Pattern: pathChat, Op: scri.OpChat},
		{Method: http.MethodPost, Pattern: pathGenerate, Op: scri.OpChat, Variant: VariantGenerate},
		{Method: http.MethodPost, Pattern: pathEmbed, Op: scri.OpEmbed, Stream: dialect.Never},
		{Method: http.MethodPost, Pattern: pathEmbedOld, Op: scri.OpEmbed, Variant: VariantOld, Stream: dialect.Never},
		{Method: http.MethodGet, Pattern: pathTags, Op: scri.OpModels, Stream: dialect.Never},
		{Method: http.MethodPost, Pattern: pathShow, Op: scri.OpModel, Stream: dialect.Never},
		{Method: http.MethodGet, Pattern: pathPS, Op: scri.OpInfo, Variant: VariantPS, Stream: dialect.Never},
		{Method: http.MethodGet, Pattern: pathVersion, Op: scri.OpInfo, Variant: VariantVersion, Stream: dialect.Never},
	}
}

// Traits says that Ollama takes any history: templates render what is there.
func (ollama) Traits() scri.Traits {
	return scri.Traits{Dialect: Name, Thinking: scri.ThinkingAny, LateSystem: true, Media: scri.MediaImageBytes}
}

// formed reports whether our own Form has the word.
func formed(e *scri.Ext, word string) bool {
	return dialect.Formed(e, Name, word)
}

// spelled returns what our own Form says the member was spelled as.
func spelled(e *scri.Ext, name string) (string, bool) {
	if e = e.Of(Name); e == nil {
		return "", false
	}
	for w := range strings.FieldsSeq(e.Form) {
		if len(w) > len(name) && w[len(name)] == '=' && strings.HasPrefix(w, name) {
			return w[len(name)+1:], true
		}
	}
	return "", false
}

// member returns the raw value of a member of our own Ext, or nil.
func member(e *scri.Ext, name string) []byte {
	if e = e.Of(Name); e == nil || len(e.Members) == 0 {
		return nil
	}
	return wire.NewScanner(e.Members).Peek(name)
}

// rest writes the members of our own Ext, less those that are written already
// and those that an object written by hand has taken in. In a line of a stream
// no line end may stand between them.
func rest(w *wire.Writer, e *scri.Ext, line bool, written func(name string) bool) {
	if e = e.Of(Name); e == nil || len(e.Members) == 0 {
		return
	}
	s := wire.NewScanner(e.Members)
	for name := range s.Members() {
		if written(name) {
			continue
		}
		m := s.Member()
		if m == nil {
			return
		}
		if line {
			w.Comma()
			w.B = wire.AppendCompact(w.B, m)
			continue
		}
		w.Raw(m)
	}
}

// isObject reports whether raw is a JSON object.
func isObject(raw []byte) bool { return wire.NewScanner(raw).Kind() == wire.Object }

// losses gathers the warnings of one encoding.
type losses struct{ warn []scri.Warning }

func (l *losses) add(code, path, detail string) {
	l.warn = append(l.warn, scri.Warning{Code: code, Path: path, Detail: detail})
}

func (l *losses) drop(path, detail string) { l.add(scri.WarnDropped, path, detail) }

func (l *losses) change(path, from, to, detail string) {
	l.warn = append(l.warn, scri.Warning{Code: scri.WarnChanged, Path: path, From: from, To: to, Detail: detail})
}

func (l *losses) foreign(e *scri.Ext, path func() string) {
	dialect.Foreign(&l.warn, e, Name, path)
}

// homeless reports the members of an Ext, whosever they are, where the wire has
// no object that could hold them.
func (l *losses) homeless(e *scri.Ext, path func() string) {
	dialect.Foreign(&l.warn, e, "", path)
}
