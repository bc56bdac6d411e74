package app

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// columns is the width of a terminal; 0 = it does not say.
func columns(w any) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// printable is w for texts of models and providers, who write what they like: what
// would steer a terminal does not get there. Files and pipes get it as it is.
func printable(w io.Writer) io.Writer {
	if terminal(w) {
		return tame{w}
	}
	return w
}

// oneLine is a text of others for a place of one line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

// bytesText is a size for people.
func bytesText(n int64) string {
	const unit = 1000
	size, names := float64(n), []string{"B", "KB", "MB", "GB", "TB"}
	for size >= unit && len(names) > 1 {
		size, names = size/unit, names[1:]
	}
	if names[0] == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, names[0])
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
