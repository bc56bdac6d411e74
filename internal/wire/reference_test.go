package wire_test

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/wire"
)

type reporter interface{ Errorf(string, ...any) }

// referenceSSE is the standard's algorithm, word for word, with the differences
// that wire.SSE documents; it has the whole stream at once and copies freely.
func referenceSSE(in string) (all []frame, garbage int) {
	in = strings.TrimPrefix(in, "\xef\xbb\xbf")
	in = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(in)
	var now frame
	var any, data bool
	dispatch := func() {
		if data {
			now.Data = strings.TrimSuffix(now.Data, "\n")
			all = append(all, now)
		}
		now, any, data = frame{}, false, false
	}
	for line := range strings.SplitSeq(in, "\n") {
		if line == "" {
			dispatch()
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "":
			if !any {
				all = append(all, frame{Data: value, Comment: true})
			}
			continue
		case "data":
			data = true
			now.Data += value + "\n"
		case "event":
			now.Event = value
		case "id":
			if !strings.Contains(value, "\x00") {
				now.ID = value
			}
		case "retry":
			if n, err := strconv.ParseUint(value, 10, 63); err == nil && n <= uint64(1<<63-1)/uint64(time.Millisecond) && value[0] != '+' {
				now.Retry = time.Duration(n) * time.Millisecond
			}
		default:
			garbage++
			continue
		}
		any = true
	}
	dispatch()
	return all, garbage
}

// checkSSE holds the laws of the reader on any bytes at all, arriving in pieces
// of the given sizes. With a limit, only that the cut makes no difference.
func checkSSE(t reporter, in string, sizes []int, limit int) {
	whole := wire.NewSSE(strings.NewReader(in), limit)
	want, wantErr := drain(whole)
	if limit == 0 {
		ref, garbage := referenceSSE(in)
		if d := cmp.Diff(ref, want); d != "" || wantErr != nil || garbage != whole.Garbage() {
			t.Errorf("%q: %v, garbage %d, want %d; frames -reference +got\n%s", in, wantErr, whole.Garbage(), garbage, d)
		}
	}
	cut := wire.NewSSE(&chop{data: in, sizes: sizes}, limit)
	one := wire.NewSSE(iotest.OneByteReader(strings.NewReader(in)), limit)
	for _, r := range []*wire.SSE{cut, one} {
		got, err := drain(r)
		if d := cmp.Diff(want, got); d != "" || !sameError(err, wantErr) {
			t.Errorf("%q cut: %v, %v; frames -whole +cut\n%s", in, wantErr, err, d)
		}
		if r.Garbage() != whole.Garbage() || r.GarbageText() != whole.GarbageText() {
			t.Errorf("%q cut: other garbage", in)
		}
	}
}

func checkNDJSON(t reporter, in string, sizes []int, limit int) {
	want, wantErr := drain(wire.NewNDJSON(strings.NewReader(in), limit))
	if limit == 0 {
		var ref []frame
		for line := range strings.SplitSeq(strings.TrimPrefix(in, "\xef\xbb\xbf"), "\n") {
			if line = strings.Trim(line, " \t\r"); line != "" {
				ref = append(ref, frame{Data: line})
			}
		}
		if d := cmp.Diff(ref, want); d != "" || wantErr != nil {
			t.Errorf("%q: %v; frames -reference +got\n%s", in, wantErr, d)
		}
	}
	for _, r := range []wire.FrameReader{
		wire.NewNDJSON(&chop{data: in, sizes: sizes}, limit),
		wire.NewNDJSON(iotest.OneByteReader(strings.NewReader(in)), limit),
	} {
		got, err := drain(r)
		if d := cmp.Diff(want, got); d != "" || !sameError(err, wantErr) {
			t.Errorf("%q cut: %v, %v; frames -whole +cut\n%s", in, wantErr, err, d)
		}
	}
}

func sameError(a, b error) bool {
	var x, y *wire.TooLargeError
	return errors.As(a, &x) == errors.As(b, &y) && (a == nil) == (b == nil)
}

// checkAppendSSE: what was written is read back, its line ends made \n.
func checkAppendSSE(t reporter, data []byte) {
	got, err := drain(wire.NewSSE(bytes.NewReader(wire.AppendSSE(nil, "e", data)), 0))
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
	if d := cmp.Diff([]frame{{Event: "e", Data: lines}}, got); d != "" || err != nil {
		t.Errorf("AppendSSE(%q) reads back: %v %s", data, err, d)
	}
}
