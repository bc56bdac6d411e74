package overlay

import (
	"os"
	"strings"
	"testing"
)

// TestManual runs the examples of docs/overlays.md, and misses no op there.
func TestManual(t *testing.T) {
	raw, err := os.ReadFile("../../docs/overlays.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	blocks, ran := 0, 0
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "```yaml\n")
		if !found {
			break
		}
		block, next, _ := strings.Cut(after, "```")
		rest = next
		blocks++
		list, err := Parse("overlays.md", []byte(block), User)
		if err != nil {
			t.Errorf("block %d: %v", blocks, err)
			continue
		}
		for _, o := range list {
			for i := range o.Cases {
				ran++
				if err := o.Try(&o.Cases[i]); err != nil {
					t.Errorf("block %d: %v", blocks, err)
				}
			}
		}
	}
	if blocks < 4 || ran < 6 {
		t.Errorf("%d blocks with %d examples", blocks, ran)
	}
	for _, name := range opNames() {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("nothing is said of %s", name)
		}
	}
	for _, word := range condKeys() {
		if !strings.Contains(text, word+":") {
			t.Errorf("nothing is said of the condition %s", word)
		}
	}
}
