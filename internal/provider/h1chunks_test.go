package provider

import (
	"fmt"
	"strings"
	"testing"
)

// The bound of what a body holds besides content is for each chunk's own, not
// for all of a long stream: one token to a chunk, hours of them.
func TestLongChunkedStreams(t *testing.T) {
	var c chunks
	content := 0
	for range 3 * maxExtra {
		p := []byte("5\r\ntoken\r\n")
		n, err := c.unwrap(p)
		if err != nil {
			t.Fatalf("after %d bytes: %v", content, err)
		}
		content += n
	}
	if content != 5*3*maxExtra {
		t.Errorf("%d bytes", content)
	}
}

// What gives no content, or hardly any, is bounded all the same.
func TestChunksWithoutContentAreBounded(t *testing.T) {
	for name, part := range map[string]string{
		"an endless extension": ";" + strings.Repeat("x", 1000),
		"an endless trailer":   "0\r\n" + strings.Repeat("A: b\r\n", 1000),
		"much for little":      fmt.Sprintf("1;%s\r\na\r\n", strings.Repeat("x", 1000)),
	} {
		var c chunks
		if name == "an endless extension" {
			if _, err := c.unwrap([]byte("5")); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		for range 1000 {
			if _, err = c.unwrap([]byte(part)); err != nil {
				break
			}
			part = strings.TrimPrefix(part, "0\r\n")
		}
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
