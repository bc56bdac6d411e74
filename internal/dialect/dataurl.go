package dialect

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// SplitDataURL takes a base64 data URL apart: what stands before ";base64" and
// the data as it is. ok is false for any other URL. Nothing is copied unless
// the text holds escapes.
func SplitDataURL(u scri.Text) (mediaType string, data scri.Text, ok bool) {
	const scheme, mark = "data:", ";base64,"
	s := u.String()
	if !strings.HasPrefix(s, scheme) {
		return "", scri.Text{}, false
	}
	head := s[len(scheme):]
	if len(head) > 256 {
		head = head[:256] // the mark stands near the front, or nowhere
	}
	i := strings.Index(head, mark)
	if i < 0 || strings.IndexByte(head[:i], ',') >= 0 {
		return "", scri.Text{}, false
	}
	return head[:i], scri.NewText(s[len(scheme)+i+len(mark):]), true
}

// FitsDataURL reports whether a data URL can say the type so that it is read again: it
// is one, not a pattern such as image/*, short, and ends where its comma is.
func FitsDataURL(mediaType string) bool {
	return mediaType != "" && !strings.HasSuffix(mediaType, "*") && !strings.Contains(mediaType, ",") && len(mediaType) <= 240
}

// AppendDataURL appends a base64 data URL as a JSON string with its quotes.
func AppendDataURL(b []byte, mediaType string, data scri.Text) []byte {
	b = append(b, `"data:`...)
	b = scri.NewText(mediaType).AppendJSONInner(b)
	b = append(b, ";base64"...)
	n := len(b)
	b = wire.AppendQuote(b, data.String())
	b[n] = ',' // where the quote was
	return b
}

// SniffImage tells the MIME type of base64 image data by how it begins, or "".
func SniffImage(data scri.Text) string {
	s := data.String()
	switch {
	case strings.HasPrefix(s, "iVBORw0KGgo"):
		return "image/png"
	case strings.HasPrefix(s, "/9j/"):
		return "image/jpeg"
	case strings.HasPrefix(s, "R0lGOD"):
		return "image/gif"
	case strings.HasPrefix(s, "UklGR"):
		return "image/webp"
	case strings.HasPrefix(s, "Qk"):
		return "image/bmp"
	default:
		return ""
	}
}

// AudioType is the MIME type for a format as OpenAI's APIs call it, and
// AudioFormat the reverse.
func AudioType(format string) string {
	if format == "mp3" {
		return "audio/mpeg"
	}
	return "audio/" + format
}

// AudioFormat is the format for a MIME type, see [AudioType].
func AudioFormat(typ string) string {
	switch typ {
	case "audio/mpeg":
		return "mp3"
	case "audio/x-wav", "audio/wave", "audio/vnd.wave":
		return "wav"
	default:
		return strings.TrimPrefix(typ, "audio/")
	}
}
