package overlay

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// converter is what convert does to one value.
type converter struct {
	to     string // string, array, object, number, bool, or "" with a template
	tmpl   *template
	source string // json-string: only texts that hold JSON
	join   string
	pick   *path // of an element, its text
	rest   string
	images *path // where images among the elements go, as bare base64
	table  []entry
}

// buildConvert: convert path to [from] [join] [pick] [rest] [images_to] [map].
func buildConvert(b *builder) {
	p := b.node("path")
	c := &converter{join: "\n", source: b.oneOf("from", "", "json-string")}
	if v := b.need("to"); b.err == nil && v.kind == wire.String && v.text != "" && v.text[0] != '$' {
		c.to = b.oneOf("to", "string", "array", "object", "number", "bool")
	} else {
		c.tmpl = compileTemplate(v)
	}
	if b.opt("join") != nil {
		c.join = b.text("join")
	}
	c.rest = b.oneOf("rest", "json", "drop")
	c.pick = mustPath("text")
	if b.opt("pick") != nil {
		c.pick = b.node("pick")
	}
	if b.opt("images_to") != nil {
		c.images = b.place("images_to")
	}
	if v := b.opt("map"); v != nil {
		c.table = b.table("map", v)
	}
	b.step.body = func(j *job) {
		for _, n := range j.t.all(p) {
			if !j.ok(n) {
				continue
			}
			if raw, ok := c.convert(j, p, n); ok {
				j.replaced(n)
				j.t.replace(n, raw)
				j.did = true
			}
		}
	}
}

func mustPath(s string) *path {
	p, err := compilePath(s)
	if err != nil {
		panic(err) // cannot be: constants, all tested
	}
	return p
}

func (c *converter) convert(j *job, p *path, n *node) ([]byte, bool) {
	if e := lookup(c.table, n); e != nil && e.to != nil {
		j.warn(scri.WarnChanged, n, n.json(), nil)
		return e.to, true
	}
	if c.source == "json-string" {
		raw := []byte(strings.TrimSpace(n.text()))
		if n.kind != wire.String || wire.Valid(raw) != nil {
			return nil, false
		}
		want, ok := kindWord(c.to)
		return raw, c.to == "" || ok && kindOf(raw) == want
	}
	if c.tmpl != nil {
		j.warn(scri.WarnChanged, n, nil, nil)
		return c.tmpl.fill(n.json()), true
	}
	switch c.to {
	case "array":
		if n.kind == wire.Array {
			return nil, false
		}
		return append(append([]byte{'['}, n.json()...), ']'), true
	case "string":
		return c.toString(j, p, n)
	case "object":
		if n.kind == wire.Array && len(j.t.elements(n)) == 1 && j.t.elements(n)[0].kind == wire.Object {
			return j.t.elements(n)[0].json(), true
		}
		return nil, false
	default: // number, bool: out of a text that is one
		raw := []byte(strings.TrimSpace(n.text()))
		want, _ := kindWord(c.to)
		return raw, n.kind == wire.String && wire.Valid(raw) == nil && kindOf(raw) == want
	}
}

// toString joins the texts of a list, or spells any other value.
func (c *converter) toString(j *job, p *path, n *node) ([]byte, bool) {
	switch n.kind {
	case wire.String:
		return nil, false
	case wire.Array:
	default:
		return quote(string(wire.Compact(n.json()))), true
	}
	var texts []string
	for _, e := range j.t.elements(n) {
		list := j.t.find(nil, e, c.pick.segs)
		switch {
		case e.kind == wire.String:
			texts = append(texts, e.text())
		case len(list) > 0 && list[0].kind == wire.String:
			texts = append(texts, list[0].text())
		case c.images != nil && c.takeImage(j, p, n, e):
		case c.rest == "drop":
			j.warn(scri.WarnDropped, e, nil, nil)
		default:
			j.warn(scri.WarnChanged, e, nil, nil)
			texts = append(texts, string(wire.Compact(e.json())))
		}
	}
	return quote(strings.Join(texts, c.join)), true
}

// takeImage puts an image that stands inline among the elements where images_to
// says, beside the list that is converted.
func (c *converter) takeImage(j *job, p *path, n, e *node) bool {
	data, ok := inlineImage(j.t, e)
	if !ok {
		return false
	}
	// The paths share the way to the element that both hang from.
	common := min(p.common(c.images), len(p.segs)-1, len(c.images.segs)-1)
	base := n
	for range len(p.segs) - common {
		base = base.parent
	}
	for _, pl := range j.t.places(base, c.images.segs[common:], false, true) {
		if pl.node == nil {
			pl.node = j.t.fill(pl, []byte("[]"))
		}
		if pl.node.kind == wire.Array {
			j.t.insert(pl.node, len(j.t.elements(pl.node)), quote(data))
			return true
		}
	}
	return false
}

// inlineImage is the base64 of an image part, however the format spells it.
func inlineImage(t *tree, e *node) (string, bool) {
	for _, p := range []string{"image_url.url", "image_url", "source.data", "inlineData.data", "inline_data.data"} {
		for _, n := range t.find(nil, e, mustPath(p).segs) {
			s := n.text()
			if rest, ok := strings.CutPrefix(s, "data:"); ok {
				_, data, ok := strings.Cut(rest, ";base64,")
				return data, ok
			}
			if strings.HasSuffix(p, ".data") && s != "" {
				return s, true
			}
		}
	}
	return "", false
}

// Fetch gets what an address points to, for inline_media.
type Fetch func(url string) (mime string, data []byte, err error)

// buildInlineMedia: inline_media path [template]. What stands at path is an
// address; it becomes a data URL, or what template makes of $data and $mime.
func buildInlineMedia(b *builder) {
	p := b.node("path")
	var tmpl []byte
	if v := b.opt("template"); v != nil {
		tmpl = v.json()
	}
	b.step.body = func(j *job) {
		for _, n := range j.t.all(p) {
			url := n.text()
			if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") || !j.ok(n) {
				continue
			}
			if j.run.fetch == nil {
				j.run.fail(&scri.Error{
					Kind: scri.ErrUnsupported, Path: n.pointer(),
					Message: "the target takes media only inline, and nothing fetches them here",
					Hint:    "send the media as base64",
				})
				return
			}
			mime, data, err := j.run.fetch(url)
			if err != nil {
				j.run.fail(err)
				return
			}
			text := base64.StdEncoding.EncodeToString(data)
			raw := quote("data:" + mime + ";base64," + text)
			if tmpl != nil {
				raw = bytes.ReplaceAll(bytes.ReplaceAll(tmpl, []byte("$mime"), []byte(mime)), []byte("$data"), []byte(text))
			}
			j.t.replace(n, raw)
			j.did = true
		}
	}
}
