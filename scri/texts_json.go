package scri

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// raw walks the strings inside a raw value.
func (w *walker) raw(name string, raw RawJSON) (RawJSON, bool) {
	if len(raw) == 0 {
		return raw, false
	}
	at := w.enter(name)
	out, ok := w.members(raw)
	w.leave(at)
	return out, ok
}

// members walks the strings inside the raw value that the path points to.
func (w *walker) members(raw RawJSON) (RawJSON, bool) {
	if len(raw) == 0 || w.err != nil {
		return raw, false
	}
	if jsontext.Value(raw).IsValid() {
		return w.json(raw)
	}
	if w.strict {
		w.fail("the value is not valid JSON")
	} else {
		w.visit(string(w.path), string(raw))
	}
	return raw, false
}

// args walks the strings inside arguments, or visits those that are no JSON as
// one text.
func (w *walker) args(name string, t Text) (Text, bool) {
	if t.IsZero() || w.err != nil {
		return t, false
	}
	s := t.String()
	switch head := strings.TrimLeft(s, " \t\r\n"); {
	case head == "" || strings.IndexByte(`{["`, head[0]) < 0 || !jsontext.Value(s).IsValid():
		return w.text(name, t)
	default:
	}
	at := w.enter(name)
	out, ok := w.json([]byte(s))
	w.leave(at)
	if !ok {
		return t, false
	}
	return PlainText(out), true
}

// json walks the strings and the names of members of a valid value. All other
// bytes stay as they are.
func (w *walker) json(raw []byte) (out []byte, changed bool) {
	d := jsontext.NewDecoder(bytes.NewBuffer(raw))
	done, renamed := 0, false // how much of raw is in out
	var buf []byte
	for {
		if d.PeekKind() != '"' {
			if _, err := d.ReadToken(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				w.fail("the value is not valid JSON")
				return raw, false
			}
			continue
		}
		v, err := d.ReadValue()
		if err != nil {
			w.fail("the value is not valid JSON")
			return raw, false
		}
		path := string(w.path) + string(d.StackPointer())
		kind, n := d.StackIndex(d.StackDepth())
		isName := kind == '{' && n%2 == 1
		if isName {
			path += "#"
		}
		buf, _ = jsontext.AppendUnquote(buf[:0], v) // v is valid
		s, ok := w.visit(path, string(buf))
		if !ok {
			continue
		}
		end := int(d.InputOffset())
		out = append(out, raw[done:end-len(v)]...)
		out = NewText(s).AppendJSON(out)
		done, changed, renamed = end, true, renamed || isName
	}
	if !changed {
		return raw, false
	}
	out = append(out, raw[done:]...)
	if renamed && !jsontext.Value(out).IsValid() {
		w.fail("two names became one")
	}
	return out, true
}

// data visits base64 whose type says that it is a text. The text of others is
// not to be had without knowing their format.
func (w *walker) data(name, mime string, t Text) (Text, bool) {
	if t.IsZero() || !textual(mime) {
		return t, false
	}
	s, isText := decodeText(t.String())
	if !isText {
		if mime == "" {
			return t, false
		}
		return w.text(name, t)
	}
	s, ok := w.visit(string(w.path)+"/"+name, s)
	if !ok {
		return t, false
	}
	return NewText(base64.StdEncoding.EncodeToString([]byte(s))), true
}

// decodeText returns what s holds in base64, if that is a text.
func decodeText(s string) (string, bool) {
	enc := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		enc = base64.RawURLEncoding
	}
	b, err := enc.DecodeString(strings.TrimRight(s, "=\r\n"))
	return string(b), err == nil && utf8.Valid(b)
}

// textual reports whether data of a type may be text: because it says so, or
// because it does not say.
func textual(mime string) bool {
	mime, _, _ = strings.Cut(strings.ToLower(mime), ";")
	switch mime = strings.TrimSpace(mime); mime {
	case "", "application/json", "application/x-ndjson", "application/xml", "application/yaml", "application/x-yaml",
		"application/toml", "application/javascript", "application/sql", "application/x-sh", "application/rtf", "application/x-www-form-urlencoded":
		return true
	default:
		return strings.HasPrefix(mime, "text/") || strings.HasSuffix(mime, "+json") || strings.HasSuffix(mime, "+xml") || strings.HasSuffix(mime, "+yaml")
	}
}

// url visits an address; of one that holds the data itself only the text.
func (w *walker) url(name string, t Text) (Text, bool) {
	s := t.String()
	const scheme, coding = "data:", ";base64,"
	if len(s) < len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return w.text(name, t)
	}
	mime, data, ok := strings.Cut(s[len(scheme):], coding)
	if !ok || strings.Contains(mime, ",") {
		return w.text(name, t)
	}
	v, ok := w.data(name, mime, NewText(data))
	if !ok {
		return t, false
	}
	return NewText(s[:len(s)-len(data)] + v.String()), true
}

// escapePointer writes a name as JSON pointers have it.
func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
