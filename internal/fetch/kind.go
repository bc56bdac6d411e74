package fetch

import (
	"bytes"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// sniffed is how much of a file tells what it is.
const sniffed = 512

// settle decides what a file is, from what its server declares and how it
// begins, and whether that is what was wanted; why tells that it is not.
func settle(declared string, head []byte, want string) (is, why string) {
	claim, _, err := mime.ParseMediaType(declared)
	if err != nil {
		claim = ""
	}
	is = Sniff(head)
	switch {
	case len(head) == 0:
		return "", "empty"
	case is == "" && textual(claim) && utf8.Valid(cutRune(head)):
		is = claim
	case is == "":
		return "", "of no type that is known, declared as " + quoted(claim)
	}
	kind := kindOf(is)
	if claim != "" && claim != "application/octet-stream" && claim != "binary/octet-stream" && kindOf(claim) != kind {
		return "", "declared as " + quoted(claim) + " and begins like " + is
	}
	if want != "" && want != "*/*" && want != "application/octet-stream" && kindOf(want) != kind {
		return "", is + ", and " + quoted(want) + " is wanted"
	}
	return is, ""
}

// kindOf is what types that stand for each other have in common.
func kindOf(t string) string {
	kind, _, _ := strings.Cut(t, "/")
	switch {
	case kind == "application" && textual(t):
		return "text"
	case kind == "application":
		return t
	default:
		return kind
	}
}

// textual reports whether files of a type are texts that a model may be given. A
// page of HTML is none: it is what servers answer with in place of a file.
func textual(t string) bool {
	switch t {
	case "text/html":
		return false
	case "application/json", "application/xml", "application/yaml", "application/x-yaml":
		return true
	default:
		return strings.HasPrefix(t, "text/")
	}
}

// Sniff tells the type of an image, a PDF, a sound or a film by how it begins,
// or "".
func Sniff(head []byte) string {
	brand := ""
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		brand = string(head[8:12])
	}
	switch {
	case brand == "avif", brand == "avis":
		return "image/avif"
	case brand == "heic", brand == "heix", brand == "mif1":
		return "image/heic"
	case brand == "M4A ":
		return "audio/mp4"
	case bytes.HasPrefix(head, []byte("fLaC")):
		return "audio/flac"
	case len(head) >= 2 && head[0] == 0xff && head[1]&0xe6 == 0xe2: // a frame of layer III
		return "audio/mpeg"
	}
	t, _, _ := strings.Cut(http.DetectContentType(head), ";")
	switch t {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "application/pdf", "audio/mpeg", "video/mp4", "video/webm":
		return t
	case "audio/wave":
		return "audio/wav"
	case "application/ogg":
		return "audio/ogg"
	default:
		return ""
	}
}

// cutRune is b without the half of a rune that cutting left at its end.
func cutRune(b []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}

// quoted is what a server said, short and harmless.
func quoted(t string) string {
	if t == "" {
		return "nothing"
	}
	const most = 60
	if len(t) > most {
		t = t[:most]
	}
	return "\"" + strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, t) + "\""
}
