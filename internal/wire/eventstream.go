package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// Sizes of the frames of an AWS event stream: a prelude of total length, length
// of the headers and their checksum, then headers, payload and a checksum of all.
const (
	preludeSize = 12
	crcSize     = 4
	leastFrame  = preludeSize + crcSize
	maxHeaders  = 128 << 10
)

// EventFrame is one frame of an AWS event stream. It is valid until the next call
// of Next.
type EventFrame struct {
	Type    []byte // header :message-type: event, exception or error
	Name    []byte // header :event-type, :exception-type or :error-code
	Message []byte // header :error-message
	Payload []byte

	headers []byte // checked
}

// Headers calls f with each header: its name, its type as the format numbers
// them, and its value as it stands, without the length of strings and bytes.
func (m *EventFrame) Headers(f func(name []byte, typ byte, value []byte)) {
	for h := m.headers; len(h) > 0; {
		name, typ, value, rest, err := header(h)
		if err != nil {
			return // not possible, they were checked
		}
		f(name, typ, value)
		h = rest
	}
}

// CorruptError says that a stream is none of AWS event frames, or was damaged.
type CorruptError struct{ Msg string }

func (e *CorruptError) Error() string { return "event stream: " + e.Msg }

// EventStream reads the frames of an AWS event stream. No frame allocates, once
// the buffer is as large as the largest of them.
type EventStream struct {
	source
	frame EventFrame
}

// NewEventStream reads frames from r. One that is larger than maxBytes (16 MiB
// when that is not positive) is a *[TooLargeError], one that is damaged a
// *[CorruptError], and an end within one io.ErrUnexpectedEOF. Errors are final.
func NewEventStream(r io.Reader, maxBytes int) *EventStream {
	if maxBytes <= 0 {
		maxBytes = defaultMax
	}
	return &EventStream{source: source{r: r, max: maxBytes}}
}

// Next returns the next frame.
func (s *EventStream) Next() (*EventFrame, error) {
	for {
		n, err := s.size()
		if err != nil {
			s.err = err
			s.base, s.pos = s.end, s.end
			return nil, err
		}
		if n > 0 && s.end-s.base >= n {
			return s.take(n)
		}
		if s.err != nil {
			if errors.Is(s.err, io.EOF) && s.end > s.base {
				s.err = io.ErrUnexpectedEOF
				s.base, s.pos = s.end, s.end
			}
			return nil, s.err
		}
		s.fill()
	}
}

// Pending reports whether another whole frame is in memory.
func (s *EventStream) Pending() bool {
	n, err := s.size()
	return err != nil || n > 0 && s.end-s.base >= n
}

// size is that of the frame at hand, 0 if its prelude is not in memory.
func (s *EventStream) size() (int, error) {
	b := s.buf[s.base:s.end]
	if len(b) < preludeSize {
		return 0, nil
	}
	total, headers := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	switch {
	case crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]):
		return 0, &CorruptError{"the checksum of a frame's prelude is wrong"}
	case total < leastFrame || headers > total-leastFrame || headers > maxHeaders:
		return 0, &CorruptError{fmt.Sprintf("a frame of %d bytes with %d bytes of headers", total, headers)}
	case uint64(total) > uint64(s.max):
		return 0, &TooLargeError{Max: s.max}
	}
	return int(total), nil
}

// take reads the frame of n bytes that is in memory.
func (s *EventStream) take(n int) (*EventFrame, error) {
	b := s.buf[s.base : s.base+n : s.base+n]
	s.base += n
	s.pos = s.base
	body := b[:n-crcSize]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(b[n-crcSize:]) {
		s.err = &CorruptError{"the checksum of a frame is wrong"}
		s.base, s.pos = s.end, s.end
		return nil, s.err
	}
	end := preludeSize + int(binary.BigEndian.Uint32(b[4:]))
	s.frame = EventFrame{Payload: body[end:], headers: body[preludeSize:end]}
	for h := s.frame.headers; len(h) > 0; {
		name, typ, value, rest, err := header(h)
		if err != nil {
			s.err = err
			return nil, err
		}
		if h = rest; typ != headerString {
			continue
		}
		switch string(name) {
		case ":message-type":
			s.frame.Type = value
		case ":event-type", ":exception-type", ":error-code":
			s.frame.Name = value
		case ":error-message":
			s.frame.Message = value
		}
	}
	return &s.frame, nil
}

// Types of headers, as the format numbers them.
const (
	headerTrue = iota
	headerFalse
	headerByte
	headerShort
	headerInt
	headerLong
	headerBytes
	headerString
	headerTime
	headerUUID
)

func errCutHeader() error { return &CorruptError{"a header is cut off"} }

// header reads the first of several headers.
func header(h []byte) (name []byte, typ byte, value, rest []byte, err error) {
	n := int(h[0])
	if n == 0 || len(h) < 2+n {
		return nil, 0, nil, nil, errCutHeader()
	}
	name, typ, h = h[1:1+n], h[1+n], h[2+n:]
	size := 0
	switch typ {
	case headerTrue, headerFalse:
	case headerByte:
		size = 1
	case headerShort:
		size = 2
	case headerInt:
		size = 4
	case headerLong, headerTime:
		size = 8
	case headerUUID:
		size = 16
	case headerBytes, headerString:
		if len(h) < 2 {
			return nil, 0, nil, nil, errCutHeader()
		}
		size = int(binary.BigEndian.Uint16(h))
		h = h[2:]
	default:
		return nil, 0, nil, nil, &CorruptError{fmt.Sprintf("a header of type %d", typ)}
	}
	if len(h) < size {
		return nil, 0, nil, nil, errCutHeader()
	}
	return name, typ, h[:size], h[size:], nil
}

// HeaderTime is the value of a header of type 8: a moment.
func HeaderTime(value []byte) time.Time {
	if len(value) != 8 {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(value)))
}

// AppendEvent appends a frame of JSON. typ is event or exception, name that of
// the event or exception.
func AppendEvent(b []byte, typ, name string, payload []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, preludeSize)...)
	key := ":event-type"
	if typ == "exception" {
		key = ":exception-type"
	}
	b = appendHeader(b, key, name)
	b = appendHeader(b, ":content-type", "application/json")
	b = appendHeader(b, ":message-type", typ)
	headers := len(b) - start - preludeSize
	b = append(b, payload...)
	frame := b[start:]
	binary.BigEndian.PutUint32(frame, uint32(len(frame)+crcSize))
	binary.BigEndian.PutUint32(frame[4:], uint32(headers))
	binary.BigEndian.PutUint32(frame[8:], crc32.ChecksumIEEE(frame[:8]))
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(frame))
}

func appendHeader(b []byte, name, value string) []byte {
	b = append(append(b, byte(len(name))), name...)
	b = binary.BigEndian.AppendUint16(append(b, headerString), uint16(len(value)))
	return append(b, value...)
}
