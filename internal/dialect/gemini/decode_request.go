package gemini

import (
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeRequest reads a request for content or for a count of its tokens. The
// model stands in the path.
func (gemini) DecodeRequest(in *dialect.Incoming) (*scri.ChatRequest, error) {
	d := &requestDecoder{req: &scri.ChatRequest{Stream: in.Route.Stream == dialect.Always}}
	if in.Param != nil {
		d.req.Model = strings.TrimPrefix(in.Param("model"), "models/")
	}
	d.ids.Prefix = "call_"
	d.Reset(in.Body)
	if in.Route.Op == scri.OpCount {
		d.count()
	} else {
		d.request()
	}
	if err := d.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	if !d.contents {
		return nil, dialect.Missing("/contents")
	}
	d.finish()
	return d.req, nil
}

type requestDecoder struct {
	decoder
	req      *scri.ChatRequest
	unknown  dialect.Unknown
	contents bool
	system   *scri.Message
	config   dialect.Unknown // members of generationConfig that have no field
	options  dialect.Unknown // members of toolConfig that have no field
	configs  int             // how many had one
	choices  int
	hasConf  bool
	hasOpt   bool
	format   formatDecoder
	logProbs int64 // alternatives; -1 = not said
	logs     bool
}

// count reads the body of a count, which may hold a whole request.
func (d *requestDecoder) count() {
	whole := d.Peek("generateContentRequest")
	if whole == nil {
		whole = d.Peek("generate_content_request")
	}
	if whole == nil {
		d.request()
		return
	}
	for name := range d.Members() {
		if camel(name) == "generateContentRequest" && d.Kind() == wire.Object {
			d.request()
			continue
		}
		d.unknown.Add(d.Member())
	}
}

func (d *requestDecoder) request() {
	d.logProbs = -1
	seen := 0
	for as := range d.Members() {
		if d.KeepNull(&d.unknown) {
			if as == "contents" {
				d.contents = true
			}
			continue
		}
		bit := d.member(as)
		if seen&bit != 0 {
			d.Fail("%s is said twice, in two spellings", camel(as))
		}
		seen |= bit
	}
}

// member reads one member, and returns a bit that stands for its field; 0 = none.
func (d *requestDecoder) member(as string) int {
	u := &d.unknown
	switch camel(as) {
	case "model":
		d.model()
	case "contents":
		d.contents = true
		if d.list(func() { d.req.Messages = append(d.req.Messages, d.content()) }) {
			u.Form("content")
		}
		return 1
	case "systemInstruction":
		name(as, u)
		m := d.content()
		asSystem(&m)
		d.system = &m
		return 2
	case "tools":
		d.tools()
		return 4
	case "toolConfig":
		name(as, u)
		d.toolConfig()
		return 8
	case "generationConfig":
		name(as, u)
		d.generationConfig()
		return 16
	default:
		u.Add(d.Member())
	}
	return 0
}

// model reads a model in the body, which must be the one in the path.
func (d *requestDecoder) model() {
	at := d.Mark()
	m := d.Unquoted()
	bare := strings.TrimPrefix(m, "models/")
	switch {
	case d.Err() != nil:
	case d.req.Model == "" && bare != "":
		d.req.Model = bare
	case bare != d.req.Model:
		d.Rewind(at)
		d.Fail("another model than the one in the path")
		return
	}
	if bare == m {
		d.unknown.Form("model=bare")
	} else {
		d.unknown.Form("model")
	}
}

// content reads one turn.
func (d *decoder) content() scri.Message {
	var m scri.Message
	var u dialect.Unknown
	there, said := false, false
	for as := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch as {
		case "role":
			said = true
			m.Role = role(d.Unquoted(), &u)
		case "parts":
			there = true
			if d.list(func() { m.Parts = append(m.Parts, d.part()) }) {
				u.Form("part")
			} else if len(m.Parts) == 0 {
				u.Form("list")
			}
		default:
			u.Add(d.Member())
		}
	}
	if !said {
		m.Role = scri.RoleUser
		u.Form("-role")
	}
	if !there {
		u.Form("-parts")
	}
	m.Ext = u.Ext(Name)
	return m
}

// role is who speaks.
func role(word string, u *dialect.Unknown) scri.Role {
	switch word {
	case "user":
		return scri.RoleUser
	case "model":
		return scri.RoleAssistant
	case "function":
		u.Form("role=function")
		return scri.RoleTool
	case "":
		u.Form("role")
		return scri.RoleUser
	}
	u.Form("raw")
	return scri.Role(word)
}

// asSystem makes of a content the system's message. Its role says nothing, but
// comes back.
func asSystem(m *scri.Message) {
	var words []string
	word := string(m.Role)
	if m.Role == scri.RoleAssistant {
		word = roleModel
	}
	if m.Ext != nil {
		for w := range strings.FieldsSeq(m.Ext.Form) {
			switch w {
			case "-role":
				word = ""
			case "role":
				word = ""
				words = append(words, w)
			case "role=function":
				word = "function"
			case "raw":
			default:
				words = append(words, w)
			}
		}
	}
	m.Role = scri.RoleSystem
	if plainWord(word) {
		words = append(words, "role="+word)
	}
	x := scri.Ext{Dialect: Name, Form: strings.Join(words, " ")}
	if m.Ext != nil {
		x.Members = m.Ext.Members
	}
	if m.Ext = nil; x.Form != "" || x.Members != nil {
		m.Ext = &x
	}
}

// finish puts together what stood in several members.
func (d *requestDecoder) finish() {
	r, u := d.req, &d.unknown
	if d.system != nil {
		r.Messages = append([]scri.Message{*d.system}, r.Messages...)
	}
	d.finishConfig()
	remainder(u, "generationConfig", &d.config, d.hasConf, d.configs > 0)
	remainder(u, "toolConfig", &d.options, d.hasOpt, d.choices > 0)
	r.Ext = u.Ext(Name)
}

// remainder keeps what of an object has no field. used: something of it has.
func remainder(u *dialect.Unknown, name string, rest *dialect.Unknown, there, used bool) {
	obj := rest.Object()
	if obj == nil {
		if !there || used {
			return
		}
		obj = scri.RawJSON("{}")
	}
	u.Add(append([]byte(`"`+name+`":`), obj...))
}

// Roles of the API.
const (
	roleUser  = "user"
	roleModel = "model"
)

// header is what the format itself demands of a request's header.
func header() http.Header { return http.Header{"Content-Type": {"application/json"}} }
