package ollama

import (
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// ShowRequest asks about one model.
func ShowRequest(model string) *dialect.Outgoing {
	b := append(wire.AppendQuote([]byte(`{"model":`), model), '}')
	return &dialect.Outgoing{
		Method: http.MethodPost, Path: pathShow, Body: b, Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// DecodeShow reads the answer of /api/show: above all the context window and
// what the model can do. The answer does not name the model; the caller knows.
func DecodeShow(a *dialect.Answer) (*scri.ModelInfo, error) {
	s := wire.NewScanner(a.Body)
	m := &scri.ModelInfo{Raw: a.Body, Dialect: Name}
	if a.Target != nil {
		m.ID, m.Model = a.Target.Model, a.Target.Model
	}
	numCtx := int64(0)
	for name := range s.Members() {
		k := s.Kind()
		switch {
		case name == "details" && k == wire.Object:
			window := m.ContextWindow
			readDetails(s, m)
			if window != 0 {
				m.ContextWindow = window
			}
		case name == "model_info" && k == wire.Object:
			readModelInfo(s, m)
		case name == "capabilities" && k == wire.Array:
			readCapabilities(s, m)
		case name == "modified_at" && k == wire.String:
			m.Created = unix(s.Unquoted())
		case name == "parameters" && k == wire.String:
			numCtx = parameter(s.Unquoted(), "num_ctx")
		default:
		}
	}
	if err := s.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	if m.ContextWindow == 0 {
		m.ContextWindow = numCtx
	}
	return m, nil
}

// readModelInfo reads the metadata of the model's file. The context window has
// the name of the architecture before it.
func readModelInfo(s *wire.Scanner, m *scri.ModelInfo) {
	for name := range s.Members() {
		switch {
		case strings.HasSuffix(name, ".context_length") && s.Kind() == wire.Number:
			if n := s.Int(); strings.Count(name, ".") == 1 || m.ContextWindow == 0 {
				m.ContextWindow = n
			}
		case name == "general.architecture" && s.Kind() == wire.String && m.Family == "":
			m.Family = s.Unquoted()
		default:
		}
	}
}

// parameter finds a number among the parameters, one "name value" in each line.
func parameter(text, name string) int64 {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 2 || f[0] != name {
			continue
		}
		s := wire.NewScanner([]byte(f[1]))
		if n := s.Int(); s.End() == nil {
			return n
		}
	}
	return 0
}

// EncodeModel appends the answer of /api/show.
func (ollama) EncodeModel(b []byte, _ *dialect.Incoming, m *scri.ModelInfo) []byte {
	raw := own(m)
	if peek(raw, "model_info") != nil { // Ollama's own answer to the same question
		return append(b, raw...)
	}
	arch := strings.Map(func(r rune) rune {
		if r == '.' || r < ' ' {
			return -1
		}
		return r
	}, m.Family)
	if arch == "" {
		arch = "unknown"
	}
	w := wire.Writer{B: append(b, '{')}
	for _, name := range [...]string{"modelfile", "parameters", "template"} {
		w.Key(name)
		w.Str("")
	}
	w.Key("details")
	appendDetails(&w, m, raw)
	w.Key("model_info")
	w.BeginObject()
	w.Key("general.architecture")
	w.Str(arch)
	if m.ContextWindow > 0 {
		w.Str(arch + ".context_length")
		w.B = append(w.B, ':')
		w.Int(m.ContextWindow)
	}
	w.EndObject()
	w.Key("capabilities")
	if len(m.Capabilities) == 0 {
		w.B = append(w.B, `["completion"]`...)
	} else {
		capabilities(&w, m)
	}
	verbatimOr(&w, raw, "modified_at", `"`+modified(m)+`"`)
	return append(w.B, '}')
}
