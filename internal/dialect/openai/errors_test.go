package openai_test

import (
	"encoding/json"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/openai"
	"github.com/aratta-gateway/aratta/scri"
)

// SDKs print the message alone, so it names the field.
func TestErrorMessagesNameTheField(t *testing.T) {
	for _, c := range []struct{ path, message, hint, want string }{
		{"/temperature", "expected number but got string", "send a number", "temperature: expected number but got string. Hint: send a number"},
		{"/messages/0/content", "a required field is missing", "", "messages[0].content: a required field is missing"},
		{"/model", `model "x" is not known`, "", `model "x" is not known`},
		{"/tools/1/name", "Invalid 'tools[1].name': too long", "", "Invalid 'tools[1].name': too long"},
		{"", "the gateway failed", "", "the gateway failed"},
	} {
		_, body := openai.New().EncodeError(nil, &scri.Error{Kind: scri.ErrInvalid, Path: c.path, Message: c.message, Hint: c.hint})
		var got struct{ Error struct{ Message string } }
		if err := json.Unmarshal(body, &got); err != nil || got.Error.Message != c.want {
			t.Errorf("%s, %v; want message %q", body, err, c.want)
		}
	}
}
