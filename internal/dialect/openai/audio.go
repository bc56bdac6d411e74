package openai

import (
	"bytes"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// heard is what a stream has said aloud so far. Clients of the dialect get the
// pieces as they come; for all others it becomes a part at the end.
type heard struct {
	id               string
	data, transcript []byte // within quotes that are not closed
	members          keptList
}

// maxHeard bounds how much sound is gathered; what is longer is only passed on.
const maxHeard = 32 << 20

func (h *heard) add(d *decoder, raw []byte) {
	d.Reset(raw)
	for member := range d.Members() {
		switch {
		case d.Kind() == wire.Null:
		case member == "id" && d.Kind() == wire.String:
			h.id = string([]byte(d.plain()))
		case member == "data" && d.Kind() == wire.String:
			h.data = goOn(h.data, d.Str())
		case member == "transcript" && d.Kind() == wire.String:
			h.transcript = goOn(h.transcript, d.Str())
		default:
			if v := d.Raw(); v != nil {
				h.members.keep(member, v)
			}
		}
	}
}

func goOn(b, quoted []byte) []byte {
	if len(quoted) < 2 || len(b)+len(quoted) > maxHeard {
		return b
	}
	if b == nil {
		b = append(b, '"')
	}
	return append(b, quoted[1:len(quoted)-1]...)
}

func closed(b []byte) scri.Text {
	if len(b) == 0 {
		return scri.Text{}
	}
	return scri.QuotedText(append(b, '"'))
}

// part is what was heard, or nil.
func (h *heard) part() *scri.Part {
	if h.id == "" {
		return nil
	}
	m := &scri.Media{Type: "audio/*", FileID: h.id, Data: closed(h.data), Text: closed(h.transcript)}
	if x := h.members.object(); x != nil {
		m.Ext = &scri.Ext{Dialect: name, Members: x}
	}
	if len(h.data) == 1 {
		m.Ext = &scri.Ext{Dialect: name, Members: h.members.object(), Form: "data="}
	}
	return &scri.Part{Kind: scri.PartMedia, Media: m, Ext: &scri.Ext{Dialect: name, Form: "audio"}}
}

// audio reads what an assistant said: {"id","data","transcript","expires_at"}.
func (d *decoder) audio() bool {
	m := &scri.Media{Type: "audio/*"}
	d.inner(m, func(member string, u *dialect.Unknown) string {
		switch member {
		case "id":
			m.FileID = d.plain()
		case "data":
			if m.Data = scri.QuotedText(d.Str()); m.Data.IsZero() {
				return "data="
			}
		case "transcript":
			if m.Text = scri.QuotedText(d.Str()); m.Text.IsZero() {
				return "transcript="
			}
		default:
			u.Add(d.Member())
		}
		return ""
	})
	if m.FileID == "" || d.Err() != nil {
		return false
	}
	d.tail = append(d.tail, scri.Part{Kind: scri.PartMedia, Media: m, Ext: d.form("audio")})
	return true
}

// audio writes what an assistant said.
func (e *encoder) audio(parts []scri.Part, skip []bool) {
	for i := range parts {
		p := &parts[i]
		if skipped(skip, i) || placeOf(p) != audioField || p.Media == nil {
			continue
		}
		e.Key("audio")
		e.BeginObject()
		e.str("id", p.Media.FileID)
		if !p.Media.Data.IsZero() || has(p.Media.Ext, "data=") {
			e.text("data", p.Media.Data)
		}
		if !p.Media.Text.IsZero() || has(p.Media.Ext, "transcript=") {
			e.text("transcript", p.Media.Text)
		}
		e.extra(p.Media.Ext)
		e.EndObject()
		return
	}
}

// isAudio reports whether a wire event of the dialect tells of a sound.
func isAudio(members []byte) bool { return bytes.Contains(members, []byte(`"delta":{"audio":`)) }
