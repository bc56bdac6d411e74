package dialecttest_test

import (
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

// TestPlainAnswersHaveNoWarnings: a warning on each and every answer teaches
// people to look at none. What any plain answer has is no loss in any format.
func TestPlainAnswersHaveNoWarnings(t *testing.T) {
	for _, c := range dialecttest.Cases(t) {
		if c.Kind != "response" || c.Name != "text" {
			continue
		}
		for _, to := range all.Table() {
			said, err := c.Translate(all.Get(c.Dialect), to)
			if err != nil {
				t.Fatal(err)
			}
			if _, told, _ := strings.Cut(said, "\n}\n"); told != "" {
				t.Errorf("%s to %s: %s", c.File, to.Name(), told)
			}
		}
	}
}
