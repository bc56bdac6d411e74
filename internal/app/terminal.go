package app

import (
	"bytes"
	"io"
	"os"
	"unicode"

	"golang.org/x/term"
)

func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printable is w for texts of models and providers, who write what they like: what
// would steer a terminal does not get there. Files and pipes get it as it is.
func printable(w io.Writer) io.Writer {
	if terminal(w) {
		return tame{w}
	}
	return w
}

// tame leaves out control characters.
type tame struct{ io.Writer }

func (t tame) Write(b []byte) (int, error) {
	_, err := t.Writer.Write(bytes.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, b))
	return len(b), err
}
