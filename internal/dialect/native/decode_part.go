package native

import (
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func (d *decoder) media() *scri.Media {
	m := new(scri.Media)
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "type":
			m.Type = d.str(&x, name)
		case "name":
			m.Name = d.str(&x, name)
		case "data":
			m.Data = d.text(&x, name)
		case "url":
			m.URL = d.text(&x, name)
		case "file_id":
			m.FileID = d.str(&x, name)
		case "text":
			m.Text = d.text(&x, name)
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	m.Ext = x.result()
	return m
}

func (d *decoder) call() *scri.ToolCall {
	c := new(scri.ToolCall)
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "id":
			c.ID = d.str(&x, name)
		case "name":
			c.Name = d.str(&x, name)
		case "args":
			c.Args = d.text(&x, name)
		case "type":
			c.Type = d.str(&x, name)
		case "server":
			c.Server = d.str(&x, name)
		case "made_id":
			c.MadeID = d.flag(&x, name)
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	d.require(c.Name != "", "name")
	c.Type = x.typeOf(c.Type)
	c.Ext = x.result()
	return c
}

func (d *decoder) result() *scri.ToolResult {
	r := new(scri.ToolResult)
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "call_id":
			r.CallID = d.str(&x, name)
		case "name":
			r.Name = d.str(&x, name)
		case "content":
			if d.Kind() == wire.String {
				x.word("content:string")
			}
			r.Parts = d.content(&x, name)
		case "error":
			r.Error = d.flag(&x, name)
		case "server":
			r.Server = d.str(&x, name)
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	r.Ext = x.result()
	return r
}

func (d *decoder) citation() scri.Citation {
	var c scri.Citation
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "start":
			c.Start = int(d.int64(&x, name))
		case "end":
			c.End = int(d.int64(&x, name))
		case "quote":
			c.Quote = d.text(&x, name)
		case "url":
			c.URL = d.str(&x, name)
		case "title":
			c.Title = d.str(&x, name)
		case "document":
			c.Document = d.str(&x, name)
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	c.Ext = x.result()
	return c
}

func (d *decoder) signature(x *extra) *scri.Signature {
	s := new(scri.Signature)
	for name := range d.Members() {
		if d.null(x) {
			continue
		}
		switch name {
		case "value":
			s.Value = d.text(x, name)
		case "dialect":
			s.Dialect = d.str(x, name)
		case "provider":
			s.Provider = d.str(x, name)
		case "model":
			s.Model = d.str(x, name)
		case "redacted":
			s.Redacted = d.flag(x, name)
		default:
			x.keep(d.Member())
		}
	}
	return s
}

func (d *decoder) cache() *scri.CacheMark {
	c := new(scri.CacheMark)
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "ttl":
			c.TTL = d.str(&x, name)
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	c.Ext = x.result()
	return c
}

func (d *decoder) logProb() scri.TokenLogProb {
	var t scri.TokenLogProb
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "token":
			t.Token = d.text(&x, name)
		case "logprob":
			t.LogProb = d.Float()
		case "bytes":
			t.Bytes = list(d, &x, name, func() int { return int(d.Int()) })
		case "top":
			t.Top = list(d, &x, name, d.logProb)
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	t.Ext = x.result()
	return t
}
