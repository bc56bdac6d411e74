// Package discreet says what of texts that others wrote may stand in a log or a
// header: what is short, and what cannot be content.
package discreet

import "strings"

// maxCode is how long a machine code may be. What is longer is a text.
const maxCode = 64

// Code returns s if it looks like a machine code or an id, else "". An upstream
// may write anything where a code is expected, also what it was sent.
func Code(s string) string {
	if len(s) > maxCode || strings.IndexFunc(s, unlikeCode) >= 0 {
		return ""
	}
	return s
}

// unlikeCode reports whether no machine code has r in it.
func unlikeCode(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.", r)
}

// maxShown bounds what others chose of a log line or a header.
const maxShown = 256

// Clip returns s, or its beginning where it is long.
func Clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "..."
}
