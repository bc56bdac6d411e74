package ollama

import (
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// message is a wire message as it was read, of a request, an answer or a line.
// It is reused from line to line.
type message struct {
	role              string
	content, thinking scri.Text
	images            []scri.Text
	calls             []scri.Part
	toolName, callID  string
	seen              uint8 // the members that were there
	rest              dialect.Unknown
}

const (
	sawRole = 1 << iota
	sawContent
	sawToolName
	sawCallID
)

func (m *message) reset() {
	*m = message{images: m.images[:0], calls: m.calls[:0]}
}

// read reads the message that is next. nulls says whether members with a null
// are kept; in the lines of a stream they say nothing. results says whether tools
// speak: in an answer nobody but the model does, whatever it is called. A call gets
// its id from ids when it has none.
func (m *message) read(s *wire.Scanner, nulls, results bool, ids *dialect.CallIDs) {
	if !nulls {
		for name := range s.Members() {
			if !s.Null() {
				m.member(s, name, false, ids)
			}
		}
		return
	}
	tool := results && isTool(s.Peek("role"))
	for name := range s.Members() {
		if s.Kind() == wire.Null {
			m.rest.Add(s.Member())
			continue
		}
		m.member(s, name, tool, ids)
	}
}

// isTool reports whether the raw role is that of a tool.
func isTool(role []byte) bool {
	return len(role) > 2 && role[0] == '"' && strings.EqualFold(scri.QuotedText(role).String(), string(scri.RoleTool))
}

func (m *message) member(s *wire.Scanner, name string, tool bool, ids *dialect.CallIDs) {
	switch name {
	case "role":
		m.role = s.Unquoted()
		m.seen |= sawRole
	case "content":
		m.content = scri.QuotedText(s.Str())
		m.seen |= sawContent
	case "images":
		m.readImages(s)
	case "thinking", "tool_calls":
		if tool { // has no place in a result
			m.rest.Add(s.Member())
			return
		}
		if name == "tool_calls" {
			m.readCalls(s, ids)
		} else if m.thinking = scri.QuotedText(s.Str()); m.thinking.IsZero() && s.Err() == nil {
			m.rest.Form("+thinking")
		}
	case "tool_name":
		if !tool {
			m.rest.Add(s.Member())
			return
		}
		m.toolName = s.Unquoted()
		m.seen |= sawToolName
	case "tool_call_id":
		if !tool {
			m.rest.Add(s.Member())
			return
		}
		m.callID = s.Unquoted()
		m.seen |= sawCallID
	default:
		m.rest.Add(s.Member())
	}
}

func (m *message) readImages(s *wire.Scanner) {
	n := 0
	for range s.Elements() {
		n++
		q := s.Str()
		if len(q) > 5 && string(q[1:6]) == "data:" {
			s.Fail("an image is base64 alone, without a data URL around it")
		}
		m.images = append(m.images, scri.QuotedText(q))
	}
	if n == 0 && s.Err() == nil {
		m.rest.Form("+images")
	}
}

func (m *message) readCalls(s *wire.Scanner, ids *dialect.CallIDs) {
	n := 0
	for i := range s.Elements() {
		n++
		m.calls = append(m.calls, readCall(s, i, ids))
	}
	if n == 0 && s.Err() == nil {
		m.rest.Form("+tool_calls")
	}
}

// readCall reads one call, or takes it along as it is when it has another shape.
func readCall(s *wire.Scanner, index int, ids *dialect.CallIDs) scri.Part {
	start := s.Mark()
	c := new(scri.ToolCall)
	var u, fn dialect.Unknown
	seen := false
	for name := range s.Members() {
		switch {
		case s.Kind() == wire.Null:
			u.Add(s.Member())
		case name == "id":
			c.ID = s.Unquoted()
			if c.ID == "" {
				u.Form("+id")
			}
		case name == "type" && s.Kind() == wire.String:
			readType(s, &u)
		case name == "function":
			seen = true
			readFunction(s, c, index, &u, &fn)
		default:
			u.Add(s.Member())
		}
	}
	if dialect.Misfit(s.Err()) || s.Err() == nil && !seen {
		s.Rewind(start)
		return scri.Part{Kind: scri.PartOpaque, Raw: s.Raw(), Ext: &scri.Ext{Dialect: Name}}
	}
	if c.ID == "" {
		c.ID, c.MadeID = ids.Make(c.Name), true
	} else {
		ids.Skip()
	}
	addNested(&u, "function", &fn)
	c.Ext = u.Ext(Name)
	return scri.Part{Kind: scri.PartToolCall, Call: c}
}

// readType reads the type of a call or a tool that is a function.
func readType(s *wire.Scanner, u *dialect.Unknown) {
	at := s.Mark()
	if s.Unquoted() == "function" {
		u.Form("+type")
		return
	}
	s.Rewind(at)
	u.Add(s.Member())
}

func readFunction(s *wire.Scanner, c *scri.ToolCall, index int, u, fn *dialect.Unknown) {
	at, args := int64(-1), false
	for name := range s.Members() {
		switch {
		case s.Kind() == wire.Null:
			fn.Add(s.Member())
		case name == "name":
			c.Name = s.Unquoted()
		case name == "index":
			at = s.Int()
		case name == "arguments":
			args = true
			if s.Kind() != wire.Object {
				s.Fail("arguments must be an object")
				return
			}
			c.Args = scri.PlainText(s.Raw())
		default:
			fn.Add(s.Member())
		}
	}
	switch {
	case at < 0:
		u.Form("-index")
	case at != int64(index):
		u.Form("index=" + strconv.FormatInt(at, 10))
	}
	if !args {
		u.Form("-arguments")
	}
	if c.Name == "" && s.Err() == nil {
		s.Fail("a call has no name")
	}
}

// addNested adds an object of unknown members as a member itself.
func addNested(u *dialect.Unknown, name string, inner *dialect.Unknown) {
	if inner.Empty() {
		return
	}
	m := append(strconv.AppendQuote(nil, name), ':')
	u.Add(append(m, inner.Object()...))
}

// parts returns what the message says in the canonical order.
func (m *message) parts() []scri.Part {
	n := len(m.images) + len(m.calls)
	if !m.thinking.IsZero() {
		n++
	}
	if !m.content.IsZero() {
		n++
	}
	if n == 0 {
		return nil
	}
	list := make([]scri.Part, 0, n)
	if !m.thinking.IsZero() {
		list = append(list, scri.Part{Kind: scri.PartThinking, Text: m.thinking})
	}
	if !m.content.IsZero() {
		list = append(list, scri.Part{Kind: scri.PartText, Text: m.content})
	}
	for _, data := range m.images {
		list = append(list, image(data))
	}
	return append(list, m.calls...)
}

// image returns the part of an image. The wire tells no type, so its first
// bytes are asked.
func image(data scri.Text) scri.Part {
	return scri.Part{Kind: scri.PartMedia, Media: &scri.Media{Type: imageType(data), Data: data}}
}

func imageType(data scri.Text) string {
	if t := dialect.SniffImage(data); t != "" {
		return t
	}
	return "image/*"
}

// forms notes what of the message was spelled otherwise than usual, and returns
// its role.
func (m *message) forms() scri.Role {
	role := known(m.role)
	switch {
	case string(role) != m.role: // Ollama does not mind
		m.rest.Form("role=" + m.role)
	case role == scri.RoleDeveloper:
		m.rest.Form("+developer") // unknown to Ollama, but it was asked to take it
	}
	if m.role == "" {
		if m.seen&sawRole != 0 {
			m.rest.Form("+role")
		} else {
			m.rest.Form("-role")
		}
	}
	if m.seen&sawContent == 0 {
		m.rest.Form("-content")
	}
	return role
}

// known returns a role that Ollama knows in its usual spelling, any other as it
// is.
func known(role string) scri.Role {
	for _, r := range [...]scri.Role{scri.RoleUser, scri.RoleAssistant, scri.RoleTool, scri.RoleSystem} {
		if strings.EqualFold(role, string(r)) {
			return r
		}
	}
	return scri.Role(role)
}

// message returns the message of an answer or of any speaker but a tool.
func (m *message) message() scri.Message {
	role := m.forms()
	return scri.Message{Role: role, Parts: m.parts(), Ext: m.rest.Ext(Name)}
}
