package ollama

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// rank is the place of a kind of part in a wire message.
type rank uint8

const (
	rankThinking rank = iota
	rankText
	rankImage
	rankCall
)

// speech gathers what one wire message says, as far as Ollama has words for it,
// and what is lost of it. Its lists are reused from message to message.
type speech struct {
	*losses
	scan  wire.Scanner
	blind bool // there is no place for images: in an answer of /api/generate

	thoughts, texts, images []scri.Text
	calls                   []call
	last                    rank
	mixed                   bool // the order of the parts is lost, or their borders
}

// call is a call to be written. raw is one that was taken along as it was.
type call struct {
	c   *scri.ToolCall
	raw scri.RawJSON
	at  place
}

// place is where a part stands in the SCRI value. It becomes a path only where
// there is something to report.
type place struct {
	list    string // "/messages", or where the messages of an answer are
	i, j, k int    // message, part, and part of a tool's result or -1
}

func (p place) String() string {
	s := index(index(p.list, p.i)+"/content", p.j)
	if p.k >= 0 {
		s = index(s+"/result/content", p.k)
	}
	return s
}

func (p place) media() string { return p.String() + "/media" }
func (p place) call() string  { return p.String() + "/call" }

func (s *speech) reset() {
	s.thoughts, s.texts, s.images, s.calls = s.thoughts[:0], s.texts[:0], s.images[:0], s.calls[:0]
	s.last, s.mixed = rankThinking, false
}

// add takes in a part. path is called only where something is lost.
func (s *speech) add(p *scri.Part, at place) {
	switch p.Kind {
	case scri.PartText, scri.PartRefusal, scri.PartThinking:
		s.addText(p, at)
	case scri.PartMedia:
		if s.blind {
			s.drop(at.String(), "an answer of /api/generate holds no images")
			return
		}
		if s.sayable(p.Media, at) {
			s.place(rankImage, len(s.images) > 0 && s.last != rankImage)
			s.images = append(s.images, p.Media.Data)
			s.partLoss(p, at)
		}
	case scri.PartToolCall:
		if p.Call == nil || p.Call.Server != "" {
			s.drop(at.String(), "a call that the provider ran itself")
			return
		}
		s.place(rankCall, false)
		s.calls = append(s.calls, call{c: p.Call, at: at})
		s.callLoss(p.Call, at)
		s.partLoss(p, at)
	case scri.PartOpaque:
		if p.Ext.Of(Name) == nil {
			s.drop(at.String(), "a part that only its own dialect knows")
			return
		}
		s.place(rankCall, false)
		s.calls = append(s.calls, call{raw: p.Raw})
	default:
		s.drop(at.String(), "Ollama has no "+string(p.Kind)+" here")
	}
}

func (s *speech) addText(p *scri.Part, at place) {
	if p.Signature != nil && p.Signature.Redacted {
		s.drop(at.String(), "hidden thoughts, which only their issuer can read")
		return
	}
	if p.Text.IsZero() {
		if !bare(p) {
			s.drop(at.String(), "there is no text in it")
		}
		return
	}
	if p.Kind == scri.PartThinking {
		if len(s.thoughts) > 0 {
			s.change(at.String(), "", "", "joined to the thought before")
		}
		s.place(rankThinking, len(s.thoughts) > 0)
		s.thoughts = append(s.thoughts, p.Text)
	} else {
		s.place(rankText, len(s.texts) > 0)
		s.texts = append(s.texts, p.Text)
	}
	if p.Kind == scri.PartRefusal {
		s.change(at.String()+"/kind", string(scri.PartRefusal), string(scri.PartText), "")
	}
	s.partLoss(p, at)
}

// bare reports whether the part is a text and nothing more, so that an empty one
// is nothing at all.
func bare(p *scri.Part) bool {
	return p.Kind == scri.PartText && p.Cache == nil && p.Signature == nil && len(p.Citations) == 0 && p.Ext == nil
}

func (s *speech) place(r rank, again bool) {
	s.mixed = s.mixed || again || r < s.last
	s.last = max(s.last, r)
}

// partLoss reports what a part carries that Ollama has no place for.
func (s *speech) partLoss(p *scri.Part, at place) {
	if p.Cache != nil {
		s.drop(at.String()+"/cache", "Ollama caches prompts by itself")
	}
	if len(p.Citations) > 0 {
		s.drop(at.String()+"/citations", "")
	}
	if p.Signature != nil {
		s.drop(at.String()+"/signature", "")
	}
	s.homeless(p.Ext, at.String)
}

// sayable reports whether the media can be sent at all.
func (s *speech) sayable(m *scri.Media, at place) bool {
	if why := unsayable(m); why != "" {
		s.drop(at.String(), why)
		return false
	}
	if t := imageType(m.Data); t != m.Type {
		s.change(at.String()+"/media/type", m.Type, t, "Ollama looks at the image itself")
	}
	if m.Name != "" {
		s.drop(at.String()+"/media/name", "")
	}
	if !m.URL.IsZero() {
		s.drop(at.String()+"/media/url", "")
	}
	if m.FileID != "" {
		s.drop(at.String()+"/media/file_id", "")
	}
	s.homeless(m.Ext, at.media)
	return true
}

func unsayable(m *scri.Media) string {
	switch {
	case m == nil:
		return "there is nothing in it"
	case m.Type != "" && !strings.HasPrefix(m.Type, "image/"):
		return "Ollama takes images alone, not " + m.Type
	case m.Data.IsZero() && !m.URL.IsZero():
		return "Ollama loads no addresses: send the image itself"
	case m.Data.IsZero():
		return "Ollama takes an image by its bytes alone"
	default:
		return ""
	}
}

func (s *speech) callLoss(c *scri.ToolCall, at place) {
	if c.Type != "" {
		s.drop(at.String()+"/call/type", "Ollama calls functions alone")
	}
	s.foreign(c.Ext, at.call)
}

// border is what stands between the texts of several parts. What a model wrote
// comes in pieces of one text; what it is told comes in texts of their own.
func border(r scri.Role) string {
	if r == scri.RoleAssistant {
		return ""
	}
	return `\n`
}

// joined writes several texts as one JSON string.
func joined(w *wire.Writer, list []scri.Text, between string) {
	if len(list) == 1 {
		dialect.WriteText(w, list[0])
		return
	}
	w.B = append(w.B, '"')
	for i := range list {
		if i > 0 {
			w.B = append(w.B, between...)
		}
		w.B = list[i].AppendJSONInner(w.B)
	}
	w.B = append(w.B, '"')
}

// write writes the members that say what was gathered, without the role, whose
// spelling ext tells. name is how the text is called: content or response.
func (s *speech) write(w *wire.Writer, name, between string, ext *scri.Ext, first int, line bool) {
	if len(s.texts) > 0 || !formed(ext, "-content") {
		w.Key(name)
		joined(w, s.texts, between)
	}
	if len(s.thoughts) > 0 || formed(ext, "+thinking") {
		w.Key("thinking")
		joined(w, s.thoughts, "")
	}
	if len(s.images) > 0 || formed(ext, "+images") {
		w.Key("images")
		w.BeginArray()
		for _, data := range s.images {
			w.Comma()
			w.B = data.AppendJSON(w.B)
		}
		w.EndArray()
	}
	if len(s.calls) > 0 || formed(ext, "+tool_calls") {
		w.Key("tool_calls")
		w.BeginArray()
		for i := range s.calls {
			s.writeCall(w, &s.calls[i], first+i, line)
		}
		w.EndArray()
	}
}

// written tells which members write has written.
func (s *speech) written(name string) bool {
	switch name {
	case "content", "response":
		return len(s.texts) > 0
	case "thinking":
		return len(s.thoughts) > 0
	case "images":
		return len(s.images) > 0
	case "tool_calls":
		return len(s.calls) > 0
	default:
		return false
	}
}

func (s *speech) writeCall(w *wire.Writer, k *call, index int, line bool) {
	if k.c == nil {
		w.Comma()
		if line {
			w.B = wire.AppendCompact(w.B, k.raw)
		} else {
			w.B = append(w.B, bytes.TrimSpace(k.raw)...)
		}
		return
	}
	c := k.c
	w.BeginObject()
	if c.ID != "" && !c.MadeID {
		w.Key("id")
		w.Str(c.ID)
	} else if formed(c.Ext, "+id") {
		w.Key("id")
		w.Str("")
	}
	if formed(c.Ext, "+type") {
		w.Key("type")
		w.Str("function")
	}
	w.Key("function")
	w.BeginObject()
	if n, ok := spelled(c.Ext, "index"); ok {
		w.Key("index")
		w.B = append(w.B, n...)
	} else if !formed(c.Ext, "-index") {
		w.Key("index")
		w.Int(int64(index))
	}
	w.Key("name")
	w.Str(c.Name)
	args := s.writeArgs(w, k, line)
	if raw := member(c.Ext, "function"); isObject(raw) {
		inner := scri.Ext{Dialect: Name, Members: raw}
		rest(w, &inner, line, func(name string) bool {
			return name == "name" || name == "arguments" && args || name == "index" && !formed(c.Ext, "-index")
		})
	}
	w.EndObject()
	rest(w, c.Ext, line, func(name string) bool {
		return name == "function" || name == "id" && c.ID != "" && !c.MadeID
	})
	w.EndObject()
}

// writeArgs writes the arguments as an object, and reports whether it did.
func (s *speech) writeArgs(w *wire.Writer, k *call, line bool) bool {
	if k.c.Args.IsZero() && formed(k.c.Ext, "-arguments") {
		return false
	}
	w.Key("arguments")
	if k.c.Args.IsZero() {
		w.B = append(w.B, "{}"...)
		s.change(k.at.call()+"/args", "", "{}", "Ollama takes an object alone")
		return true
	}
	start := len(w.B)
	w.B = k.c.Args.AppendText(w.B)
	raw := bytes.TrimSpace(w.B[start:])
	if !s.isObject(raw) {
		w.B = append(w.B[:start], `{"_invalid_json":`...)
		w.B = k.c.Args.AppendJSON(w.B)
		w.B = append(w.B, '}')
		s.change(k.at.call()+"/args", "", "", "the arguments are no JSON object")
		return true
	}
	if line && bytes.ContainsAny(raw, "\n\r") {
		raw = wire.AppendCompact(nil, raw)
	}
	w.B = append(w.B[:start], raw...)
	return true
}

// isObject reports whether raw is a JSON object and nothing else.
func (s *speech) isObject(raw []byte) bool {
	s.scan.Reset(raw)
	if s.scan.Kind() != wire.Object {
		return false
	}
	s.scan.Skip()
	return s.scan.End() == nil
}

// index appends a number to a path.
func index(path string, n int) string { return path + "/" + strconv.Itoa(n) }
