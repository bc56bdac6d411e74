package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const (
	maxModel   = 512      // bytes of a model's name
	maxParts   = 16 << 10 // bytes of the head of one part
	smallBody  = 64 << 10 // up to which size a body is read whole
	firstPiece = 4 << 10
)

// Body is the body of a request that is passed on. As much of it is in memory as
// had to be read to find the model.
type Body struct {
	Model string // as it stands there
	Found bool   // it names a model
	Whole bool   // all of it is in memory: it can be sent again
	Cut   bool   // a model may stand behind what was looked at

	head     []byte
	from, to int // where the model stands in head, or would
	form     string
	boundary string
	comma    bool   // more members follow where a model would be put
	null     bool   // a JSON body says that it has no model: a name goes there
	wrong    string // why its model cannot be taken
	rest     io.Reader
	length   int64
}

// Unread is a body that is passed on unseen.
func Unread(r io.Reader, length int64) *Body {
	if r == nil || length == 0 {
		return &Body{Whole: true}
	}
	return &Body{rest: r, length: length}
}

// Forms of a body.
const (
	formJSON = "json"
	formPart = "multipart"
)

// Look reads a body, at most limit bytes of it, until it knows the model. One
// whose model stands farther behind, or whose type says that it has none, is no
// error: Found is false. Length is the body's, or -1.
func Look(r io.Reader, contentType string, length, limit int64) (*Body, error) {
	b := Unread(r, length)
	if b.Whole {
		return b, nil
	}
	t, params, err := mime.ParseMediaType(contentType)
	var find func(eof bool) bool
	switch {
	case err == nil && strings.HasPrefix(t, "multipart/") && params["boundary"] != "" && len(params["boundary"]) <= 70:
		b.form, b.boundary = formPart, params["boundary"]
		find = b.parts()
	case err != nil || t == "application/json" || strings.HasSuffix(t, "+json"):
		b.form = formJSON
		find = b.members()
	default:
		return b, nil
	}
	if err := b.read(limit, find); err != nil {
		return nil, err
	}
	if b.wrong != "" {
		return nil, invalid("%s", b.wrong)
	}
	if b.Found && (b.Model == "" || len(b.Model) > maxModel || !utf8.ValidString(b.Model) || strings.ContainsFunc(b.Model, func(r rune) bool { return r < ' ' || r == 0x7f })) {
		return nil, invalid("the model's name is empty, too long or no text")
	}
	return b, nil
}

func invalid(format string, args ...any) *scri.Error {
	return &scri.Error{Kind: scri.ErrInvalid, Path: "/model", Message: fmt.Sprintf(format, args...)}
}

// read reads until find has seen enough, which is told whenever there is more.
// A small body is read whole.
func (b *Body) read(limit int64, find func(eof bool) bool) error {
	small := b.length >= 0 && b.length <= smallBody
	if small {
		limit = b.length
		b.head = make([]byte, 0, limit)
	}
	for int64(len(b.head)) < limit {
		if len(b.head) == cap(b.head) {
			b.head = slices.Grow(b.head, max(firstPiece, len(b.head)))
		}
		room := b.head[len(b.head):min(int64(cap(b.head)), limit)]
		n, err := b.rest.Read(room)
		b.head = b.head[:len(b.head)+n]
		b.Whole = errors.Is(err, io.EOF) && b.length < 0 || b.length >= 0 && int64(len(b.head)) >= b.length
		switch {
		case b.Whole:
			find(true)
			b.rest, b.length = nil, int64(len(b.head))
			return nil
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case !small && find(false):
			return nil
		}
	}
	b.Cut = true
	return nil
}

// members looks for the member "model" of a JSON body. One that is there and is no
// text is refused, not passed over: were a name added to it, the body would have
// two models, and nobody knows which of them the provider takes.
func (b *Body) members() func(bool) bool {
	seen := 0
	m := &members{want: func(k string) bool { return k == "model" }, max: 6*maxModel + 2}
	m.long = func(string) { b.wrong = "the model is too long" }
	m.found = func(_ string, value []byte, from, to int) {
		switch {
		case b.Found || b.null:
			b.wrong = "the body names two models"
		case string(value) == "null":
			b.null, b.from, b.to = true, from, to
		case len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &b.Model) != nil:
			b.wrong = "the model must be a text"
		default:
			b.Found, b.from, b.to = true, from, to
		}
	}
	return func(eof bool) bool {
		m.feed(b.head[seen:])
		seen = len(b.head)
		if !b.Found && !b.null {
			b.from, b.to = m.open, m.open
			b.comma = m.first > 0 && m.first < len(b.head) && b.head[m.first] != '}'
		}
		return eof || b.wrong != "" || b.Found && len(b.head) > smallBody
	}
}

// fields looks for the field "model" of a form.
type fields struct {
	*Body
	delim []byte
	pos   int // behind the last delimiter; 0 = none came yet
	body  int // where the part's content begins; 0 = its head is not read
	next  int // where to look on for its end
	over  bool
}

func (b *Body) parts() func(bool) bool {
	f := &fields{Body: b, delim: []byte("\r\n--" + b.boundary)}
	return func(bool) bool {
		for !f.over && f.step() {
		}
		return f.over
	}
}

// step looks at what comes next, and reports whether there may be more to see.
func (f *fields) step() bool {
	switch {
	case f.pos == 0:
		return f.begin()
	case f.body == 0:
		return f.part()
	default:
		return f.content()
	}
}

func (f *fields) begin() bool {
	if bytes.HasPrefix(f.head, f.delim[2:]) {
		f.pos = len(f.delim) - 2
		return true
	}
	i := bytes.Index(f.head, f.delim)
	if i < 0 {
		return false
	}
	f.pos, f.from, f.to = i+len(f.delim), i+2, i+2
	return true
}

// part reads the head of a part.
func (f *fields) part() bool {
	rest := f.head[f.pos:]
	i := bytes.Index(rest, []byte("\r\n\r\n"))
	f.over = bytes.HasPrefix(rest, []byte("--")) || i < 0 && len(rest) > maxParts
	if f.over || i < 0 {
		return false
	}
	f.body = f.pos + i + 4
	f.next = f.body - 2 // the content may be empty
	return true
}

func (f *fields) content() bool {
	end := bytes.Index(f.head[f.next:], f.delim)
	if end < 0 {
		f.next = max(f.next, len(f.head)-len(f.delim))
		return false
	}
	end += f.next
	if isModel(f.head[f.pos:f.body]) {
		f.from, f.to = f.body, max(end, f.body)
		f.Model, f.Found, f.over = string(f.head[f.from:f.to]), true, true
		return false
	}
	f.pos, f.body = end+len(f.delim), 0
	return true
}

// isModel reports whether a part with this head is the field "model".
func isModel(head []byte) bool {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := strings.Cut(string(line), ":")
		if !strings.EqualFold(strings.TrimSpace(name), "Content-Disposition") {
			continue
		}
		_, params, err := mime.ParseMediaType(value)
		_, file := params["filename"]
		return err == nil && params["name"] == "model" && !file
	}
	return false
}

// Bytes is what As returns of what is in memory: of a body that is Whole, all.
func (b *Body) Bytes(model string) []byte {
	if model == "" || b.form == "" || model == b.Model {
		return b.head
	}
	return append(append(bytes.Clone(b.head[:b.from]), b.spelled(model)...), b.head[b.to:]...)
}

// As returns the body with the model called by another name, or with one where
// there was none, and its length, or -1. With "" it is as it came. It can be
// called again where the body is Whole.
func (b *Body) As(model string) (r io.Reader, length int64) {
	head := b.head
	if b.Found || b.Whole {
		head = b.Bytes(model)
	}
	length = b.length
	if length >= 0 {
		length += int64(len(head) - len(b.head))
	}
	switch {
	case b.rest == nil && len(head) == 0:
		return nil, 0
	case b.rest == nil:
		return bytes.NewReader(head), length
	case len(head) == 0:
		return b.rest, length
	default:
		return io.MultiReader(bytes.NewReader(head), b.rest), length
	}
}

// spelled is a model as it stands in the body, in place of what is there.
func (b *Body) spelled(model string) []byte {
	switch {
	case b.form == formJSON && (b.Found || b.null):
		return wire.AppendQuote(nil, model)
	case b.form == formJSON:
		out := wire.AppendQuote([]byte(`"model":`), model)
		if b.comma {
			out = append(out, ',')
		}
		return out
	case b.Found:
		return []byte(model)
	default:
		return []byte("--" + b.boundary + "\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" + model + "\r\n")
	}
}
