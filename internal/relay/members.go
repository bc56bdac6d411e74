// Package relay reads as much of a body that is passed on as the gateway must
// know: the model on the way out, the usage on the way back. Bytes are never held
// up to be understood, and what is not understood passes all the same.
package relay

import (
	"bytes"
	"encoding/json"
)

// maxKey bounds the names of members that are looked at.
const maxKey = 64

// members finds members of the object that a JSON text is, as its bytes pass. It
// looks at the outermost object alone and checks no more than it needs: whether
// a text is valid is for its reader.
type members struct {
	want func(key string) bool
	max  int // bytes of a value
	// found is told each wanted member: its value as it stands, and where it
	// begins and ends in the text.
	found func(key string, value []byte, from, to int)
	// long, if not nil, is told each wanted member whose value is longer than max.
	long func(key string)

	at     int // bytes that passed
	open   int // where the object began
	depth  int
	quoted bool // within a string
	escape bool // behind a backslash
	turn   turn
	key    []byte
	name   string // of the member whose value is taken; "" = none is
	value  []byte
	start  int
	first  int // where something stands first behind the opening brace; 0 = nothing came yet
}

// turn is what comes next in the outermost object.
type turn uint8

const (
	turnBegin turn = iota // the object
	turnKey
	turnColon
	turnValue
	turnOver // nothing more is looked for
)

// feed lets the next bytes pass.
func (m *members) feed(p []byte) {
	for i := 0; i < len(p) && m.turn != turnOver; {
		n := 1
		if m.quoted {
			n = m.string(p[i:])
		} else {
			m.structure(p[i])
		}
		if m.name != "" && m.turn == turnValue {
			m.take(p[i : i+n])
		}
		i += n
		m.at += n
	}
}

// string passes what it can of a string and returns how much that was.
func (m *members) string(p []byte) int {
	if m.escape {
		m.escape = false
		m.addKey(p[:1])
		return 1
	}
	n := bytes.IndexByte(p, '"')
	end := n >= 0
	if !end {
		n = len(p)
	}
	if b := bytes.IndexByte(p[:n], '\\'); b >= 0 {
		m.escape = true
		m.addKey(p[:b+1])
		return b + 1
	}
	m.addKey(p[:n])
	if !end {
		return n
	}
	m.quoted = false
	if m.depth == 1 && m.turn == turnKey {
		m.turn = turnColon
	}
	return n + 1
}

func (m *members) addKey(p []byte) {
	if m.depth == 1 && m.turn == turnKey && len(m.key) <= maxKey {
		m.key = append(m.key, p[:min(len(p), maxKey+1)]...)
	}
}

// structure passes one byte outside strings.
func (m *members) structure(c byte) {
	if m.depth == 1 && m.first == 0 && c > ' ' {
		m.first = m.at
	}
	switch c {
	case ' ', '\t', '\r', '\n':
	case '"':
		m.quoted = true
		if m.turn == turnBegin {
			m.turn = turnOver // a text that is no object
		}
		m.key = m.key[:0]
	case '{', '[':
		if m.depth == 0 {
			m.turn, m.open = turnKey, m.at+1
		}
		if m.depth++; m.depth == 1 && c == '[' {
			m.turn = turnOver
		}
	case '}', ']':
		if m.depth--; m.depth <= 0 {
			m.end()
			m.turn = turnOver
		}
	case ',':
		if m.depth == 1 {
			m.end()
			m.turn = turnKey
		}
	case ':':
		if m.depth == 1 && m.turn == turnColon {
			m.begin()
		}
	default:
		if m.turn == turnBegin && m.at > 2 { // a byte order mark may stand before it
			m.turn = turnOver
		}
	}
}

// begin begins the value of a member, behind the colon.
func (m *members) begin() {
	m.turn, m.name = turnValue, ""
	if len(m.key) > maxKey {
		return
	}
	name := string(m.key)
	if bytes.IndexByte(m.key, '\\') >= 0 && json.Unmarshal([]byte(`"`+name+`"`), &name) != nil {
		return
	}
	if name != "" && m.want(name) {
		m.name, m.value, m.start = name, nil, m.at
	}
}

// take keeps a piece of a wanted value, with the colon before it.
func (m *members) take(p []byte) {
	if len(m.value)+len(p) > m.max+1 {
		if m.long != nil {
			m.long(m.name)
		}
		m.name = ""
		return
	}
	m.value = append(m.value, p...)
}

// end tells the member that ends here.
func (m *members) end() {
	if m.name == "" || m.turn != turnValue || len(m.value) == 0 {
		return
	}
	raw := m.value[1:]
	value := bytes.TrimLeft(raw, " \t\r\n")
	from := m.start + 1 + len(raw) - len(value)
	value = bytes.TrimRight(value, " \t\r\n")
	m.found(m.name, value, from, from+len(value))
	m.name = ""
}
