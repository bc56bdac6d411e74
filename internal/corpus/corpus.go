// Package corpus reads recorded exchanges with real providers, one JSON file
// each: what was asked, what was answered, and what it shows. Tests hold the
// laws against them, and the simulator replays them.
package corpus

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// ours is the dialect that speaks a recorded format, or "".
func ours(format string) string {
	switch format {
	case "openai-chat", "gigachat-chat", "embeddings-openai":
		return "openai"
	case "openai-responses":
		return "responses"
	case "anthropic-messages":
		return "anthropic"
	case "cohere-chat", "embeddings-cohere":
		return "cohere"
	case "bedrock-converse":
		return "bedrock"
	case "ollama-chat", "embeddings-ollama":
		return "ollama"
	case "gemini", "embeddings-gemini", "embeddings-vertex":
		return "gemini"
	default:
		return ""
	}
}

// Exchange is one recorded request with its answer.
type Exchange struct {
	ID       string
	Op       scri.Op
	Dialect  string // our name, "" when no dialect of ours speaks it yet
	Wire     string // the name in the recordings
	Provider string
	Features []string

	Method, Path string
	Query        url.Values
	Header       http.Header
	Request      []byte // compact; nil when there was no JSON body

	Status     int
	RespHeader http.Header
	Body       []byte         // a whole answer: JSON, compact, or as it stood
	Stream     []byte         // a stream: the bytes as they came
	Chunks     []int          // sizes of the reads they came in, when known
	Skip       string         // why no law can be asked of it, or ""
	Kind       scri.ErrorKind // what an error must be read as, where the example says so
}

// Has reports whether the exchange carries a tag.
func (x *Exchange) Has(feature string) bool { return slices.Contains(x.Features, feature) }

// Feature returns the tags that say what the exchange is about.
func (x *Exchange) Feature() []string {
	var out []string
	for _, f := range x.Features {
		if f != "chat" {
			out = append(out, f)
		}
	}
	return out
}

// Read reads all recorded exchanges below a folder, in the order of their ids.
func Read(dir string) ([]*Exchange, error) {
	var list []*Exchange
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		x, err := Parse(b)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no recorded exchange in %s", dir)
	}
	slices.SortFunc(list, func(a, b *Exchange) int { return strings.Compare(a.Wire+a.ID, b.Wire+b.ID) })
	return list, nil
}

type recorded struct {
	ID       string   `json:"id"`
	Dialect  string   `json:"dialect"`
	Provider string   `json:"provider"`
	Feature  []string `json:"feature"`
	Request  struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
		SSE     string            `json:"sse"`
		Frames  []byte            `json:"eventstream_base64"`
		Events  []struct {
			Headers map[string]string `json:"headers"`
			Payload struct {
				Bytes string `json:"bytes"`
			} `json:"payload"`
		} `json:"events"`
		Chunks []int `json:"chunk_bytes"`
	} `json:"response"`
}

// Parse reads one recorded exchange.
func Parse(b []byte) (*Exchange, error) {
	var r recorded
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	x := &Exchange{
		ID: r.ID, Op: scri.OpChat, Dialect: ours(r.Dialect), Wire: r.Dialect, Provider: r.Provider, Features: r.Feature,
		Method: r.Request.Method, Header: Headers(r.Request.Headers), Request: Compact(r.Request.Body),
		Status: r.Response.Status, RespHeader: Headers(r.Response.Headers), Chunks: r.Response.Chunks,
	}
	if strings.HasPrefix(r.Dialect, "embeddings-") {
		x.Op = scri.OpEmbed
	}
	u, err := url.Parse(r.Request.Path)
	if err != nil {
		return nil, err
	}
	x.Path, x.Query = u.Path, u.Query()
	switch {
	case r.Response.SSE != "":
		x.Stream = []byte(r.Response.SSE)
	case r.Response.Frames != nil && x.Dialect == "bedrock":
		x.Stream = r.Response.Frames
	case r.Response.Events != nil:
		x.Stream, x.Skip = r.frames()
		x.RespHeader.Set("Content-Type", "text/event-stream")
	default:
		x.Body = Compact(r.Response.Body)
		if len(x.Body) > 0 && x.Body[0] == '"' { // the body was no JSON
			var s string
			if err := json.Unmarshal(x.Body, &s); err != nil {
				return nil, err
			}
			x.Body = []byte(s)
		}
		if len(x.Body) > 0 && x.Body[0] == '[' && strings.Contains(x.Path, ":stream") { // Google streams one list
			x.Stream, x.Body = x.Body, nil
		}
	}
	return x, nil
}

// frames rewrites the AWS frames around Anthropic events as the event stream
// that they would have been.
func (r *recorded) frames() (stream []byte, skip string) {
	for _, e := range r.Response.Events {
		inner, err := base64.StdEncoding.DecodeString(e.Payload.Bytes)
		if err != nil || len(inner) == 0 || e.Headers[":event-type"] != "chunk" {
			return nil, fmt.Sprintf("AWS frame %q holds no event of the dialect", e.Headers[":event-type"])
		}
		var head struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(inner, &head); err != nil {
			return nil, "AWS frame holds no JSON: " + err.Error()
		}
		stream = wire.AppendSSE(stream, head.Type, inner)
	}
	return stream, ""
}

// Headers makes the headers of a recording canonical.
func Headers(m map[string]string) http.Header {
	h := http.Header{}
	for k, v := range m {
		h.Set(k, v)
	}
	return h
}

// Compact takes the white space out of a JSON value and keeps how its strings
// and numbers are spelled.
func Compact(raw json.RawMessage) []byte {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return raw
	}
	return b.Bytes()
}
