package dialecttest

import (
	"bytes"
	"math/rand/v2"

	"github.com/go-json-experiment/json/jsontext"
)

// Stranger adds members that no dialect knows to about one in n of the objects
// of a JSON document, as a newer provider or client would.
func Stranger(body []byte, rnd *rand.Rand, n int) []byte {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	var out bytes.Buffer
	e := jsontext.NewEncoder(&out)
	strangers := []string{`{"n":1.50,"deep":[null]}`, `"words"`, `null`, `false`, `[]`}
	for {
		t, err := d.ReadToken()
		if err != nil {
			break
		}
		t = t.Clone()
		if err := e.WriteToken(t); err != nil {
			return body
		}
		if t.Kind() == '{' && rnd.IntN(n) == 0 {
			v := strangers[rnd.IntN(len(strangers))]
			if e.WriteToken(jsontext.String("x_stranger")) != nil || e.WriteValue(jsontext.Value(v)) != nil {
				return body
			}
		}
	}
	return bytes.TrimSpace(out.Bytes())
}

// StrangerStream does so in the events of a stream, event by event.
func StrangerStream(stream []byte, rnd *rand.Rand, n int) []byte {
	var out []byte
	for line := range bytes.Lines(stream) {
		at := bytes.IndexByte(line, '{')
		head := string(bytes.TrimSpace(line[:max(at, 0)]))
		if at < 0 || head != "" && head != "data:" {
			out = append(out, line...)
			continue
		}
		end := len(bytes.TrimRight(line, "\r\n"))
		out = append(out, line[:at]...)
		out = append(out, Stranger(line[at:end], rnd, n)...)
		out = append(out, line[end:]...)
	}
	return out
}
