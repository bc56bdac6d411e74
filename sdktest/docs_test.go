package sdktest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/ollama/ollama/api"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"google.golang.org/genai"
)

// The bodies of these functions stand in docs/clients.md, with documented for the
// address and printed output.

func openAISnippet(ctx context.Context, w io.Writer, address string) error {
	client := openai.NewClient(option.WithBaseURL("http://"+address+"/v1"), option.WithAPIKey("unused-on-loopback"))
	answer, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:    "auto",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")},
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, answer.Choices[0].Message.Content)
	return nil
}

func anthropicSnippet(ctx context.Context, w io.Writer, address string) error {
	client := anthropic.NewClient(anthropicoption.WithBaseURL("http://"+address), anthropicoption.WithAPIKey("unused-on-loopback"))
	answer, err := client.Messages.New(ctx, anthropic.MessageNewParams{
		Model:     "auto",
		MaxTokens: 200,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Hello"))},
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, answer.Content[0].Text)
	return nil
}

func ollamaSnippet(ctx context.Context, w io.Writer, address string) error {
	client := api.NewClient(&url.URL{Scheme: "http", Host: address}, http.DefaultClient)
	return client.Chat(ctx, &api.ChatRequest{
		Model:    "auto",
		Messages: []api.Message{{Role: "user", Content: "Hello"}},
	}, func(part api.ChatResponse) error {
		fmt.Fprint(w, part.Message.Content)
		return nil
	})
}

func genaiSnippet(ctx context.Context, w io.Writer, address string) error {
	client, err := genai.NewClient(ctx, &genai.ClientConfig{
		Backend: genai.BackendGeminiAPI, APIKey: "unused-on-loopback",
		HTTPOptions: genai.HTTPOptions{BaseURL: "http://" + address},
	})
	if err != nil {
		return err
	}
	answer, err := client.Models.GenerateContent(ctx, "auto", genai.Text("Hello"), nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, answer.Text())
	return nil
}

const documented = "127.0.0.1:8084"

// asDocumented is the body of one of the functions above as the document has it.
func asDocumented(source, name string) string {
	_, body, _ := strings.Cut(source, "\nfunc "+name+"(")
	_, body, _ = strings.Cut(body, "{\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	body = strings.TrimSuffix(body, "\n\treturn nil")
	return strings.NewReplacer(
		"\n\t", "\n", `"http://"+address+"`, `"http://`+documented, `"http://"+address`, `"http://`+documented+`"`, `"http://" + address`, `"http://`+documented+`"`,
		"Host: address", `Host: "`+documented+`"`, "fmt.Fprintln(w, ", "fmt.Println(", "fmt.Fprint(w, ", "fmt.Print(", "anthropicoption.", "option.",
	).Replace("\n" + body)[1:] + "\n"
}

// The snippets in Go of docs/clients.md are those functions, and work.
func TestDocumentedGo(t *testing.T) {
	source, err := os.ReadFile("docs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	inDocs := snippets(t, "../docs/clients.md", "go")
	for name, run := range map[string]func(context.Context, io.Writer, string) error{
		"openAISnippet": openAISnippet, "anthropicSnippet": anthropicSnippet, "ollamaSnippet": ollamaSnippet, "genaiSnippet": genaiSnippet,
	} {
		if body := asDocumented(string(source), name); !slices.Contains(inDocs, body) {
			t.Errorf("docs/clients.md does not have\n%s", body)
		}
		allSay(t, "It works.")
		var out strings.Builder
		if err := run(t.Context(), &out, strings.TrimPrefix(shared.aratta.url, "http://")); err != nil || !strings.Contains(out.String(), "It works.") {
			t.Errorf("%s: %v, %q", name, err, out.String())
		}
	}
	if len(inDocs) != 4 {
		t.Errorf("%d snippets, of which 4 are tested", len(inDocs))
	}
}

// The snippets in Python run where Python has what they import.
func TestDocumentedPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no Python: ", err)
	}
	allSay(t, "It works.")
	var list []string
	for _, file := range []string{"../docs/clients.md", "../README.md", "../README.ru.md"} {
		list = append(list, snippets(t, file, "python")...)
	}
	if len(list) < 4 {
		t.Errorf("only %d snippets were found", len(list))
	}
	for _, code := range list {
		module := regexp.MustCompile(`(?m)^from (\w+) import`).FindStringSubmatch(code)
		if module == nil {
			t.Errorf("nothing is imported in\n%s", code)
			continue
		}
		t.Run(module[1], func(t *testing.T) {
			if out, err := exec.CommandContext(t.Context(), python, "-c", "import ast, sys; ast.parse(sys.argv[1])", code).CombinedOutput(); err != nil {
				t.Fatalf("%s\n%s", code, out)
			}
			if err := exec.CommandContext(t.Context(), python, "-c", "import "+module[1]).Run(); err != nil {
				t.Skipf("Python's %s is not installed, so its snippet was read and not run", module[1])
			}
			code := strings.ReplaceAll(code, "http://"+documented, shared.aratta.url)
			if out, err := exec.CommandContext(t.Context(), python, "-c", code).CombinedOutput(); err != nil || !strings.Contains(string(out), "It works.") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// allSay lets whoever is asked say a text, for the rest of the test.
func allSay(t *testing.T, text string) {
	t.Helper()
	for _, u := range shared.providers {
		u.says(t, said(text))
		t.Cleanup(func() { u.says(t, nil) })
	}
}

// snippets are the fenced blocks of a language in a document.
func snippets(t *testing.T, file, language string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		list = append(list, m[1])
	}
	return list
}
