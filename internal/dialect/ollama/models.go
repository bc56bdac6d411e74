package ollama

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// ListRequest asks which models are installed.
func (ollama) ListRequest(*dialect.Target) *dialect.Outgoing { return get(pathTags) }

// PSRequest asks which models are loaded.
func PSRequest() *dialect.Outgoing { return get(pathPS) }

func get(path string) *dialect.Outgoing {
	return &dialect.Outgoing{Method: http.MethodGet, Path: path}
}

// DecodeModels reads the answer of /api/tags.
func (ollama) DecodeModels(a *dialect.Answer) (*scri.ModelList, error) { return decodeList(a, false) }

// DecodePS reads the answer of /api/ps: the models that are loaded.
func DecodePS(a *dialect.Answer) (*scri.ModelList, error) { return decodeList(a, true) }

func decodeList(a *dialect.Answer, loaded bool) (*scri.ModelList, error) {
	s := wire.NewScanner(a.Body)
	list := new(scri.ModelList)
	for name := range s.Members() {
		if name != "models" || s.Null() {
			continue
		}
		for range s.Elements() {
			m := readModel(s)
			m.Loaded = loaded
			list.Models = append(list.Models, m)
		}
	}
	if err := s.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	return list, nil
}

// readModel reads one model of a list. What does not fit is passed over: a list
// is of use without it.
func readModel(s *wire.Scanner) scri.ModelInfo {
	at := s.Mark()
	raw := s.Raw()
	s.Rewind(at)
	m := scri.ModelInfo{Raw: raw, Dialect: Name}
	for name := range s.Members() {
		k := s.Kind()
		switch {
		case name == "model" && k == wire.String:
			m.Model = s.Unquoted()
		case name == "name" && k == wire.String:
			m.ID = s.Unquoted()
		case name == "modified_at" && k == wire.String:
			m.Created = unix(s.Unquoted())
		case name == "size" && k == wire.Number:
			m.SizeBytes = s.Int()
		case name == "digest" && k == wire.String:
			if m.Digest = s.Unquoted(); m.Digest == noDigest {
				m.Digest = ""
			}
		case name == "context_length" && k == wire.Number:
			m.ContextWindow = s.Int()
		case name == "details" && k == wire.Object:
			readDetails(s, &m)
		case name == "capabilities" && k == wire.Array:
			readCapabilities(s, &m)
		default:
		}
	}
	if m.Model == "" {
		m.Model = m.ID
	}
	if m.ID == "" {
		m.ID = m.Model
	}
	return m
}

func unix(text string) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 {
		return 0
	}
	return t.Unix()
}

// modified is when a model came; Go's zero time, which `ollama list` shows as "Never",
// where nobody says.
func modified(m *scri.ModelInfo) string {
	var t time.Time
	if m.Created != 0 {
		t = time.Unix(m.Created, 0)
	}
	return t.UTC().Format(time.RFC3339)
}

func readDetails(s *wire.Scanner, m *scri.ModelInfo) {
	for name := range s.Members() {
		switch {
		case name == "context_length" && s.Kind() == wire.Number:
			m.ContextWindow = s.Int()
		case s.Kind() != wire.String:
		case name == "family":
			m.Family = s.Unquoted()
		case name == "parameter_size":
			m.ParameterSize = s.Unquoted()
		case name == "quantization_level":
			m.Quantization = s.Unquoted()
		default:
		}
	}
}

func readCapabilities(s *wire.Scanner, m *scri.ModelInfo) {
	for range s.Elements() {
		if s.Kind() == wire.String {
			m.Capabilities = append(m.Capabilities, s.Unquoted())
		}
	}
}

// EncodeModels appends the answer of /api/tags.
func (ollama) EncodeModels(b []byte, _ *dialect.Incoming, l *scri.ModelList) []byte {
	return appendList(b, l, false)
}

// AppendPS appends the answer of /api/ps: those models of the list that are
// loaded.
func AppendPS(b []byte, l *scri.ModelList) []byte { return appendList(b, l, true) }

// AppendVersion appends the answer of /api/version. Clients compare its numbers, and
// some fail where there are none: a build without a release's name is before all.
func AppendVersion(b []byte, version string) []byte {
	var major, minor, patch uint
	version = strings.TrimPrefix(version, "v")
	if n, _ := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); n < 3 {
		version = "0.0.0-" + version
	}
	b = append(b, `{"version":`...)
	return append(wire.AppendQuote(b, version), '}')
}

func appendList(b []byte, l *scri.ModelList, loaded bool) []byte {
	w := wire.Writer{B: append(b, `{"models":[`...)}
	for i := range l.Models {
		if m := &l.Models[i]; m.Loaded || !loaded {
			appendModel(&w, m, loaded)
		}
	}
	return append(w.B, "]}"...)
}

// noDigest is the digest of what has none: an alias, or another provider's model.
// `ollama list` shows its first twelve characters, and crashes where there are fewer.
const noDigest = "0000000000000000000000000000000000000000000000000000000000000000"

// appendModel writes a model of a list. What only Ollama tells is taken from
// its own words, where there are any.
func appendModel(w *wire.Writer, m *scri.ModelInfo, loaded bool) {
	raw := own(m)
	w.BeginObject()
	w.Key("name")
	w.Str(m.ID)
	w.Key("model")
	w.Str(m.ID)
	if loaded {
		verbatimOr(w, raw, "expires_at", `"`+epoch+`"`)
		verbatimOr(w, raw, "size_vram", "0")
		w.Key("context_length")
		w.Int(m.ContextWindow)
	} else {
		w.Key("modified_at")
		if v := peek(raw, "modified_at"); v != nil {
			w.Raw(v)
		} else {
			w.Str(modified(m))
		}
	}
	w.Key("size")
	w.Int(m.SizeBytes)
	w.Key("digest")
	if m.Digest == "" {
		w.Str(noDigest)
	} else {
		w.Str(m.Digest)
	}
	w.Key("details")
	appendDetails(w, m, raw)
	if len(m.Capabilities) > 0 && !loaded {
		w.Key("capabilities")
		capabilities(w, m)
	}
	w.EndObject()
}

// own returns Ollama's own words about a model, or nil.
func own(m *scri.ModelInfo) []byte {
	if m.Dialect != Name || !isObject(m.Raw) {
		return nil
	}
	return m.Raw
}

func peek(raw []byte, name string) []byte {
	if raw == nil {
		return nil
	}
	return wire.NewScanner(raw).Peek(name)
}

func verbatimOr(w *wire.Writer, raw []byte, name, other string) {
	w.Key(name)
	if v := peek(raw, name); v != nil {
		w.Raw(v)
		return
	}
	w.B = append(w.B, other...)
}

func capabilities(w *wire.Writer, m *scri.ModelInfo) {
	w.BeginArray()
	for _, c := range m.Capabilities {
		w.Str(c)
	}
	w.EndArray()
}

func appendDetails(w *wire.Writer, m *scri.ModelInfo, raw []byte) {
	if v := peek(raw, "details"); isObject(v) {
		w.Raw(v)
		return
	}
	w.BeginObject()
	w.Key("parent_model")
	w.Str("")
	w.Key("format")
	w.Str("")
	w.Key("family")
	w.Str(m.Family)
	w.Key("families")
	w.BeginArray()
	if m.Family != "" {
		w.Str(m.Family)
	}
	w.EndArray()
	w.Key("parameter_size")
	w.Str(m.ParameterSize)
	w.Key("quantization_level")
	w.Str(m.Quantization)
	w.EndObject()
}
