// Package journal writes the lines of the log that come with every request, as
// [slog.JSONHandler] writes them and in a fraction of its time.
package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Handler is one of slog's for JSON that has its own way for plain records: those
// below a warning whose strings need no escapes and whose values are strings,
// numbers, truths and durations. Everything else, which is rare, goes the usual way,
// so that there is one place that knows how it is written.
type Handler struct {
	slog.Handler // the usual way
	w            io.Writer
	now          atomic.Pointer[second]
	lines        sync.Pool // of *[]byte
}

// New returns a handler that writes plain records to w itself and gives the others to
// usual, which is a [slog.JSONHandler] on w with no options but a level, or
// does the same. Both write a whole line at once, from several goroutines.
func New(w io.Writer, usual slog.Handler) *Handler {
	return &Handler{Handler: usual, w: w, lines: sync.Pool{New: func() any {
		line := make([]byte, 0, usualLine)
		return &line
	}}}
}

// Handle writes a record.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	list := make([]slog.Attr, 0, 24)
	r.Attrs(func(a slog.Attr) bool {
		list = append(list, a)
		return true
	})
	if written, err := h.write(r.Time, r.Level, r.Message, list); written {
		return err
	}
	return h.Handler.Handle(ctx, r)
}

// Log is log.LogAttrs for what every request logs: with a Handler it makes no
// record of the attributes, and does not ask who called.
func Log(ctx context.Context, log *slog.Logger, level slog.Level, msg string, list ...slog.Attr) {
	h, ok := log.Handler().(*Handler)
	if !ok {
		log.LogAttrs(ctx, level, msg, list...)
		return
	}
	if !h.Enabled(ctx, level) {
		return
	}
	now := time.Now()
	if written, _ := h.write(now, level, msg, list); written { // nobody could be told, as with slog's own
		return
	}
	r := slog.NewRecord(now, level, msg, 0)
	r.AddAttrs(list...)
	_ = h.Handler.Handle(ctx, r)
}

// The memory of lines, in bytes.
const (
	usualLine = 1 << 10
	mostKept  = 16 << 10 // of what is used again
)

// write writes a record if it is plain.
func (h *Handler) write(at time.Time, level slog.Level, msg string, list []slog.Attr) (written bool, err error) {
	if year := at.Year(); level >= slog.LevelWarn || at.IsZero() || year < 0 || year > 9999 {
		return false, nil
	}
	line := h.lines.Get().(*[]byte)
	defer func() {
		if cap(*line) <= mostKept {
			h.lines.Put(line)
		}
	}()
	*line = append((*line)[:0], `{"time":"`...)
	*line = h.appendTime(*line, at)
	*line = appendMember(*line, `","level":"`, level.String())
	*line = appendMember(*line, `","msg":"`, msg)
	*line = append(*line, '"')
	quotes := 12
	for i := range list {
		b, ok := appendAttr(*line, &list[i])
		if *line = b; !ok {
			return false, nil
		}
		if quotes += 2; list[i].Value.Kind() == slog.KindString {
			quotes += 2
		}
	}
	*line = append(*line, '}')
	if !plain(*line, quotes) {
		return false, nil
	}
	*line = append(*line, '\n')
	_, err = h.w.Write(*line)
	return true, err
}

// second is how the times of a second are written, but for the parts of it.
type second struct {
	unix       int64
	zone       *time.Location
	date, rest string
}

// appendTime appends a time as [time.RFC3339Nano] has it. Requests come many a second.
func (h *Handler) appendTime(b []byte, at time.Time) []byte {
	s := h.now.Load()
	if unix, zone := at.Unix(), at.Location(); s == nil || s.unix != unix || s.zone != zone {
		s = &second{unix, zone, at.Format("2006-01-02T15:04:05"), at.Format("Z07:00")}
		h.now.Store(s)
	}
	b = append(b, s.date...)
	if n := at.Nanosecond(); n > 0 {
		b = append(b, ".000000000"...)
		for i := len(b) - 1; n > 0; i-- {
			b[i] += byte(n % 10)
			n /= 10
		}
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
	}
	return append(b, s.rest...)
}

func appendMember(b []byte, key, value string) []byte { return append(append(b, key...), value...) }

// appendAttr appends an attribute behind others if its value is plain; whether its
// strings are is seen later.
func appendAttr(b []byte, a *slog.Attr) (_ []byte, ok bool) {
	b = append(append(append(b, `,"`...), a.Key...), `":`...)
	switch v := a.Value; v.Kind() {
	case slog.KindString:
		b = append(append(append(b, '"'), v.String()...), '"')
	case slog.KindInt64:
		b = strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		b = strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindBool:
		b = strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		b = strconv.AppendInt(b, int64(v.Duration()), 10)
	case slog.KindFloat64:
		f := v.Float64()
		if abs := math.Abs(f); f != 0 && !(abs >= 1e-6 && abs < 1e21) { // JSON has an exponent there, or no word for it
			return b, false
		}
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
	default:
		return b, false
	}
	return b, true
}

// plain reports whether the strings of a line with so many quotes around them, its
// own ones, stand in it as they are in JSON: nothing in them is escaped, or had to be.
// It looks at eight bytes at once.
func plain(line []byte, quotes int) bool {
	const (
		each  = 0x0101010101010101
		space = each * ' '
		high  = each * 0x80
	)
	if bytes.Count(line, []byte{'"'}) != quotes || bytes.IndexByte(line, '\\') >= 0 {
		return false
	}
	var odd uint64 // the high bit of what is beyond ASCII, or below a space
	for ; len(line) >= 8; line = line[8:] {
		x := binary.LittleEndian.Uint64(line)
		odd |= x | (x - space)
	}
	for _, c := range line {
		odd |= uint64(c) | (uint64(c) - ' ')
	}
	return odd&high == 0
}
