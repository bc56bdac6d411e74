package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// frame is a copy of a wire.Frame that prints well.
type frame struct {
	Event, Data, ID string
	Retry           time.Duration // 0 when absent: keeps the tables short
	Comment         bool
}

func copyOf(f *wire.Frame) frame {
	c := frame{string(f.Event), string(f.Data), string(f.ID), f.Retry, f.Comment}
	if c.Retry < 0 {
		c.Retry = 0
	}
	return c
}

// drain reads to the end. It checks that what Pending says holds and that it
// leaves the frame before it alone.
func drain(r wire.FrameReader) (all []frame, err error) {
	for {
		pending := r.Pending()
		f, err := r.Next()
		if err != nil {
			if pending {
				return all, errors.New("a frame was pending but Next returned " + err.Error())
			}
			if _, again := r.Next(); !errors.Is(again, err) {
				return all, fmt.Errorf("error %w became %w", err, again)
			}
			if err == io.EOF { //nolint:errorlint // a wrapped io.EOF is no clean end
				err = nil
			}
			return all, err
		}
		c := copyOf(f)
		r.Pending()
		if c != copyOf(f) {
			return all, errors.New("Pending changed the current frame")
		}
		all = append(all, c)
	}
}

// cuts are ways in which the same bytes may arrive.
func cuts(in string) map[string]io.Reader {
	return map[string]io.Reader{
		"whole":        strings.NewReader(in),
		"one byte":     iotest.OneByteReader(strings.NewReader(in)),
		"half":         iotest.HalfReader(strings.NewReader(in)),
		"data and EOF": iotest.DataErrReader(strings.NewReader(in)),
		"empty reads":  &stutter{r: iotest.OneByteReader(strings.NewReader(in))},
	}
}

// stutter returns nothing now and then, as io.Reader allows.
type stutter struct {
	r io.Reader
	n int
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.n++; s.n%3 != 0 {
		return 0, nil
	}
	return s.r.Read(p)
}

func TestSSE(t *testing.T) {
	tests := []struct {
		name, in string
		want     []frame
	}{
		{"nothing", "", nil},
		{"one", "data: x\n\n", []frame{{Data: "x"}}},
		{"two", "data: x\n\ndata: y\n\n", []frame{{Data: "x"}, {Data: "y"}}},
		{"event", "event: ping\ndata: {}\n\n", []frame{{Event: "ping", Data: "{}"}}},
		{"all fields", "id: 7\nevent: e\nretry: 1500\ndata: x\n\n", []frame{{Event: "e", Data: "x", ID: "7", Retry: 1500 * time.Millisecond}}},
		{"fields do not stay", "id: 7\nevent: e\ndata: x\n\ndata: y\n\n", []frame{{Event: "e", Data: "x", ID: "7"}, {Data: "y"}}},
		{"the last one counts", "event: a\nevent: b\ndata: x\n\n", []frame{{Event: "b", Data: "x"}}},
		{"CRLF", "event: e\r\ndata: x\r\n\r\ndata: y\r\n\r\n", []frame{{Event: "e", Data: "x"}, {Data: "y"}}},
		{"CR", "event: e\rdata: x\r\rdata: y\r\r", []frame{{Event: "e", Data: "x"}, {Data: "y"}}},
		{"mixed line ends", "data: x\r\ndata: y\rdata: z\n\r\ndata: w\n\n", []frame{{Data: "x\ny\nz"}, {Data: "w"}}},
		{"CR CR LF is two", "data: x\r\r\ndata: y\n\n", []frame{{Data: "x"}, {Data: "y"}}},
		{"several data lines", "data: a\ndata\ndata:b\n\n", []frame{{Data: "a\n\nb"}}},
		{"data lines around others", "data: a\nevent: e\n: note\nodd\ndata: b\nid: 1\n\n", []frame{{Event: "e", Data: "a\nb", ID: "1"}}},
		{"id and event between data lines", "data\nid: 1\ndata\nevent: e\ndata: abcdefghij\ndata: k\n\n", []frame{{Event: "e", Data: "\n\nabcdefghij\nk", ID: "1"}}},
		{"one space is cut", "data:x\ndata: x\ndata:  x\ndata:\tx\n\n", []frame{{Data: "x\nx\n x\n\tx"}}},
		{"empty data", "data\n\ndata:\n\ndata: \n\n", []frame{{}, {}, {}}},
		{"no data", "event: e\nid: 1\n\n\n\nretry: 5\n\n", nil},
		{"no data, then data", "event: e\n\ndata: x\n\n", []frame{{Data: "x"}}},
		{"colons", "data: a: b:c\n\n", []frame{{Data: "a: b:c"}}},
		{"comments", ": OPENROUTER PROCESSING\n\n:\n: \ndata: x\n\n", []frame{
			{Data: "OPENROUTER PROCESSING", Comment: true}, {Comment: true}, {Comment: true}, {Data: "x"},
		}},
		{"comment within an event", "event: e\n: note\ndata: x\n\n", []frame{{Event: "e", Data: "x"}}},
		{"bad retry", "retry: 1s\ndata: x\n\nretry: -1\ndata: y\n\nretry:\ndata: z\n\nretry: 99999999999999999999\ndata: w\n\n", []frame{{Data: "x"}, {Data: "y"}, {Data: "z"}, {Data: "w"}}},
		{"id with NUL", "id: a\x00b\ndata: x\n\n", []frame{{Data: "x"}}},
		{"BOM", "\xef\xbb\xbfdata: x\n\n", []frame{{Data: "x"}}},
		{"BOM only at the start", "data: x\n\n\xef\xbb\xbfdata: y\n\n", []frame{{Data: "x"}}},
		{"no last blank line", "data: x\n\ndata: [DONE]\n", []frame{{Data: "x"}, {Data: "[DONE]"}}},
		{"no last line end", "data: x\n\nevent: e\ndata: [DONE]", []frame{{Data: "x"}, {Event: "e", Data: "[DONE]"}}},
		{"cut within a CRLF", "data: x\r\n\r", []frame{{Data: "x"}}},
		{"ends in a comment", "data: x\n: bye", []frame{{Data: "x"}}},
		{"is a comment", ": bye", []frame{{Data: "bye", Comment: true}}},
		{"ends without data", "data: x\n\nevent: e", []frame{{Data: "x"}}},
		{"letters of several bytes", "data: Привет 😀\n\n", []frame{{Data: "Привет 😀"}}},
		{"capitals are another field", "Data: x\n\ndata : x\n\n", nil},
	}
	for _, tt := range tests {
		for how, r := range cuts(tt.in) {
			got, err := drain(wire.NewSSE(r, 0))
			if d := cmp.Diff(tt.want, got); d != "" || err != nil {
				t.Errorf("%s, %s: %v %s", tt.name, how, err, d)
			}
		}
	}
}

// A whole JSON body where an event stream was promised is no event, but kept
// for the error message.
func TestSSEGarbage(t *testing.T) {
	in := "{\n  \"error\": {\n    \"code\": 400\r\n  }\n}"
	for how, r := range cuts(in) {
		s := wire.NewSSE(r, 0)
		got, err := drain(s)
		if len(got) > 0 || err != nil || s.Garbage() != 5 {
			t.Errorf("%s: %v, %v, %d lines", how, got, err, s.Garbage())
		}
		if text := s.GarbageText(); !wire.Equal([]byte(text), []byte(in)) {
			t.Errorf("%s: text %q", how, text)
		}
	}
	s := wire.NewSSE(strings.NewReader("data: x\n\n"+strings.Repeat("an odd line\n", 1000)), 0)
	if got, err := drain(s); len(got) != 1 || err != nil || s.Garbage() != 1000 || len(s.GarbageText()) != 4096 {
		t.Errorf("%v, %v, %d lines, %d bytes", got, err, s.Garbage(), len(s.GarbageText()))
	}
}

func TestNDJSON(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"lines", "{}\n[]\n", "{}|[]"},
		{"no last newline", "{}\n[]", "{}|[]"},
		{"CRLF and blank lines", "\n\r\n {} \r\n \t\r\n[]\r\n\n", "{}|[]"},
		{"a lone CR is no line end", "{\r}\n", "{\r}"},
		{"BOM", "\xef\xbb\xbf{}\n", "{}"},
		{"letters of several bytes", "\"я😀\"\n", "\"я😀\""},
	}
	for _, tt := range tests {
		for how, r := range cuts(tt.in) {
			var got []string
			all, err := drain(wire.NewNDJSON(r, 0))
			for _, f := range all {
				got = append(got, f.Data)
			}
			if strings.Join(got, "|") != tt.want || err != nil {
				t.Errorf("%s, %s: %q, %v, want %q", tt.name, how, got, err, tt.want)
			}
		}
	}
}

// kindsOfStream run a test over both readers, with the frame each of them
// needs for some data.
var kindsOfStream = []struct {
	name  string
	open  func(io.Reader, int) wire.FrameReader
	frame func(data string) string
}{
	{"SSE", func(r io.Reader, n int) wire.FrameReader { return wire.NewSSE(r, n) }, func(d string) string { return "data: " + d + "\n\n" }},
	{"NDJSON", func(r io.Reader, n int) wire.FrameReader { return wire.NewNDJSON(r, n) }, func(d string) string { return d + "\n" }},
}

func TestReadErrorFollowsWholeFrames(t *testing.T) {
	broken := errors.New("connection reset")
	for _, k := range kindsOfStream {
		in := k.frame("1") + k.frame("2") + strings.TrimRight(k.frame("half"), "\n")
		for how, r := range cuts(in) {
			got, err := drain(k.open(io.MultiReader(r, iotest.ErrReader(broken)), 0))
			if len(got) != 2 || !errors.Is(err, broken) {
				t.Errorf("%s, %s: %v, %v", k.name, how, got, err)
			}
		}
	}
}

func TestNoProgress(t *testing.T) {
	for _, k := range kindsOfStream {
		r := readFunc(func([]byte) (int, error) { return 0, nil })
		if _, err := k.open(r, 0).Next(); !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("%s: %v", k.name, err)
		}
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// A frame of exactly the limit passes, one byte more does not, however it is cut.
func TestTooLarge(t *testing.T) {
	for _, k := range kindsOfStream {
		for _, limit := range []int{20, 5000, 100_000} {
			overhead := len(strings.TrimRight(k.frame(""), "\n"))
			if k.name == "SSE" {
				overhead++ // the end of its only line
			}
			fits := k.frame(strings.Repeat("x", limit-overhead))
			over := k.frame(strings.Repeat("x", limit-overhead+1))
			for how, r := range cuts(fits + fits + over + fits) {
				got, err := drain(k.open(r, limit))
				var large *wire.TooLargeError
				if len(got) != 2 || !errors.As(err, &large) || large.Max != limit {
					t.Errorf("%s of %d, %s: %d frames, %v", k.name, limit, how, len(got), err)
				}
			}
		}
	}
}

// While a whole frame is in memory, nothing is read.
func TestNextDoesNotWait(t *testing.T) {
	for _, k := range kindsOfStream {
		ends := []string{k.frame("")}
		if k.name == "SSE" {
			ends = []string{"\n\n", "\r\n\r\n", "\r\n\r", "\r\r", "\n\r"}
		}
		for _, end := range ends {
			in := []string{"data: 1" + end + "data: 2" + end + "da", "ta: 3" + end, "data: 4" + end}
			var reads int
			f := k.open(readFunc(func(p []byte) (int, error) {
				if reads == len(in) {
					return 0, io.EOF
				}
				reads++
				return copy(p, in[reads-1]), nil
			}), 0)
			var got []int
			for {
				pending := f.Pending()
				if _, err := f.Next(); err != nil {
					break
				}
				got = append(got, reads)
				if pending != (len(got) == 2) {
					t.Errorf("%s %q: frame %d pending: %v", k.name, end, len(got), pending)
				}
			}
			if !slices.Equal(got, []int{1, 1, 2, 3}) {
				t.Errorf("%s %q: reads before each frame: %v", k.name, end, got)
			}
		}
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	for _, k := range kindsOfStream {
		for _, size := range []int{10, 200, 5000, 100_000} {
			f := k.open(&again{data: []byte(k.frame(strings.Repeat("x", size)))}, 0)
			next := func() {
				if fr, err := f.Next(); err != nil || len(fr.Data) != size {
					t.Fatalf("%d bytes, %v", len(fr.Data), err)
				}
			}
			for range 1000 {
				next()
			}
			if n := testing.AllocsPerRun(1000, next); n != 0 {
				t.Errorf("%s of %d: %v allocations", k.name, size, n)
			}
		}
	}
}

// Many short lines, whatever ends them, and no frame end in sight: each byte is
// looked at a bounded number of times. Were it not so the test would not end.
func TestLongStreamsAreLinear(t *testing.T) {
	for _, unit := range []string{"data: x\n", "data: x\r", "data: x\r\n", "\r", "\n", ":\n", ":\r", "data:\r\r", "x\n", "data: " + strings.Repeat("x", 100) + "\r"} {
		const size = 1 << 20
		in := strings.Repeat(unit, size/len(unit))
		if _, err := drain(wire.NewSSE(strings.NewReader(in), size+1)); err != nil {
			t.Errorf("%q: %v", unit, err)
		}
	}
}

func TestAppendSSE(t *testing.T) {
	for data, want := range map[string]string{
		"":            "data: \n\n",
		"{}":          "data: {}\n\n",
		"a\nb":        "data: a\ndata: b\n\n",
		"a\r\nb\rc":   "data: a\ndata: b\ndata: c\n\n",
		"\n\r\n\r":    "data: \ndata: \ndata: \ndata: \n\n",
		" two spaces": "data:  two spaces\n\n",
	} {
		got := wire.AppendSSE([]byte("+"), "", []byte(data))
		if string(got) != "+"+want {
			t.Errorf("AppendSSE(%q) = %q, want %q", data, got, want)
		}
		got = wire.AppendSSE(nil, "e", []byte(data))
		frames, err := drain(wire.NewSSE(bytes.NewReader(got), 0))
		lines := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(data)
		if d := cmp.Diff([]frame{{Event: "e", Data: lines}}, frames); d != "" || err != nil {
			t.Errorf("read back %q: %v %s", data, err, d)
		}
	}
}
