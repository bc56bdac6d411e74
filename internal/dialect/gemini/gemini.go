// Package gemini is the dialect of Google's Gemini API: generateContent,
// streamGenerateContent in both its forms, countTokens and the list of models, as
// spoken by Google AI Studio and, with its own base address, by Vertex AI.
//
// # How it maps
//
//   - A content is a message; role model is assistant. A function's response is a
//     tool_result in a message of the user. Responses without ids are paired with
//     their calls by name and order, whose ids are then made.
//   - A response {"output": text} or {"error": text} is that text, a list of texts
//     several parts, and any other object its JSON.
//   - Parts that nobody else can have (code and its outcome, calls of Google's own
//     tools) are opaque. A thoughtSignature is the Signature of its part, whatever
//     that is.
//   - Grounding and citations become Citations, with offsets in runes, and stay in
//     the Ext of their choice as they came.
//   - A blocked prompt is a choice without output that the content filter ended.
//   - In a stream, text goes on with the part that is open until a signature ends
//     it; a piece with unknown members is a part of its own.
//   - An address of the web is fetched by the gateway and sent as bytes; those of
//     YouTube, of Google's files and of its buckets stay addresses.
//   - Schemas in Google's own spelling (types in capitals) are spelled as JSON
//     Schema has it. Others are sent as JSON Schema, verbatim; to models before 2.5,
//     which do not take it, in Google's own, reduced to what that can say.
//
// It has the variant (Target.Variant) "predict": vectors are asked for by :predict, as
// Vertex AI has it.
//
// The words of Ext.Form: a name with an underscore, the member was spelled so;
// "-x", x was absent though it is usually there; "x=y", x was spelled y; others
// stand where they are read.
package gemini

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Name is the name of the dialect.
const Name = "gemini"

// Verbs of the API.
const (
	verbGenerate = "generateContent"
	verbStream   = "streamGenerateContent"
	verbCount    = "countTokens"
)

const (
	version      = "/v1beta"
	pathModels   = version + "/models"
	patternModel = "/models/{model...}"
)

type gemini struct{}

var (
	_ dialect.Dialect = gemini{}
	_ dialect.Counter = gemini{}
	_ dialect.Lister  = gemini{}
)

// New returns the dialect.
func New() dialect.Dialect { return gemini{} }

// Name returns "gemini".
func (gemini) Name() string { return Name }

// Routes returns the paths of the API. The list of models at /v1/models belongs to
// another dialect.
func (gemini) Routes() []dialect.Route {
	list := []dialect.Route{
		{Method: http.MethodGet, Pattern: pathModels, Op: scri.OpModels, Stream: dialect.Never},
		{Method: http.MethodGet, Pattern: version + patternModel, Op: scri.OpModel, Stream: dialect.Never},
	}
	for _, v := range []string{version, "/v1"} {
		list = append(list,
			dialect.Route{Method: http.MethodPost, Pattern: v + patternModel, Verb: verbGenerate, Op: scri.OpChat, Stream: dialect.Never},
			dialect.Route{Method: http.MethodPost, Pattern: v + patternModel, Verb: verbStream, Op: scri.OpChat, Stream: dialect.Always},
			dialect.Route{Method: http.MethodPost, Pattern: v + patternModel, Verb: verbCount, Op: scri.OpCount, Stream: dialect.Never},
			dialect.Route{Method: http.MethodPost, Pattern: v + patternModel, Verb: verbEmbed, Op: scri.OpEmbed, Stream: dialect.Never},
			dialect.Route{Method: http.MethodPost, Pattern: v + patternModel, Verb: verbBatch, Op: scri.OpEmbed, Stream: dialect.Never},
			dialect.Route{Method: http.MethodPost, Pattern: v + patternModel, Verb: verbPredict, Op: scri.OpEmbed, Stream: dialect.Never},
		)
	}
	return list
}

// ownHosts are those whose addresses the API opens: of films, and of the files
// that it keeps itself. An address of a bucket (gs://) is none of the web's and
// is passed on by everybody.
const ownHosts = "youtube.com youtu.be generativelanguage.googleapis.com"

// Traits says what the API demands of a history.
func (gemini) Traits() scri.Traits {
	return scri.Traits{Dialect: Name, Thinking: scri.ThinkingAny, PairedCalls: true, Media: scri.MediaBytes, MediaHosts: ownHosts}
}

// modelPath is where a model is asked.
func modelPath(model, verb string) string {
	model = strings.TrimPrefix(model, "models/")
	escaped := strings.ReplaceAll(escapePath(model), "%2F", "/")
	if strings.HasPrefix(model, "tunedModels/") {
		return version + "/" + escaped + ":" + verb
	}
	return pathModels + "/" + escaped + ":" + verb
}

// escapePath escapes what may not stand in a path. Two dots must not lead
// anywhere.
func escapePath(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_~:@+", c) >= 0,
			c == '.' && !strings.Contains(s, ".."), c == '/' && !strings.Contains(s, "//"):
			b.WriteByte(c)
		default:
			const hex = "0123456789ABCDEF"
			b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
		}
	}
	return b.String()
}

// generation is the number in the name of a model, gemini-2.5-pro being 2; 0 =
// it has none.
func generation(model string) int {
	_, after, ok := strings.Cut(model, "gemini-")
	if !ok {
		return 0
	}
	end := 0
	for end < len(after) && after[end] >= '0' && after[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(after[:end])
	if err != nil {
		return 0
	}
	return n
}

// camel is the name of a member as the API documents it, of a name in either of
// the spellings that Google takes.
func camel(name string) string {
	at := strings.IndexByte(name, '_')
	if at <= 0 {
		return name
	}
	b := make([]byte, 0, len(name))
	up := false
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_':
			up = true
		case up && c >= 'a' && c <= 'z':
			b = append(b, c-'a'+'A')
			up = false
		case up: // no name that Google would take
			return name
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// snake is the other spelling of a name.
func snake(name string) string {
	b := make([]byte, 0, len(name)+4)
	for i := range len(name) {
		if c := name[i]; c >= 'A' && c <= 'Z' {
			b = append(b, '_', c-'A'+'a')
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

// plainWord reports whether a text can be a word of a Form.
func plainWord(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// formed reports whether our own Form has the word.
func formed(x *scri.Ext, word string) bool { return dialect.Formed(x, Name, word) }

// spelled returns what our own Form says the member was spelled as.
func spelled(x *scri.Ext, name string) (string, bool) {
	if x = x.Of(Name); x == nil {
		return "", false
	}
	for w := range strings.FieldsSeq(x.Form) {
		if len(w) > len(name) && w[len(name)] == '=' && strings.HasPrefix(w, name) {
			return w[len(name)+1:], true
		}
	}
	return "", false
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
