package sdktest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// relays is an SDK whose requests are passed on to one provider, and the name of
// a model there.
func relays(t *testing.T) (*openAI, string) {
	t.Helper()
	return newOpenAI(shared.aratta.url, option.WithHeader("X-Aratta-Provider", "sim-openai")), "sim-openai:" + model
}

func readAll(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOpenAISpeech(t *testing.T) {
	c := newOpenAI(shared.aratta.url)
	res, err := c.sdk.Audio.Speech.New(t.Context(), openai.AudioSpeechNewParams{
		Model: "sim-openai:" + model, Input: "Hello there", Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("alloy")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if sound := readAll(t, res.Body); !strings.HasPrefix(sound, "RIFF") || res.Header.Get("X-Aratta-Provider") != "sim-openai" {
		t.Errorf("%.20q, %v", sound, res.Header)
	}
}

// The SDK writes the file before the model.
func TestOpenAITranscription(t *testing.T) {
	c := newOpenAI(shared.aratta.url)
	sound := bytes.Repeat([]byte("sound "), 100_000)
	r, err := c.sdk.Audio.Transcriptions.New(t.Context(), openai.AudioTranscriptionNewParams{
		File: openai.File(bytes.NewReader(sound), "talk.wav", "audio/wav"), Model: "sim-openai:" + model,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Text, "talk.wav (600000 bytes)") {
		t.Errorf("%q", r.Text)
	}
	s := c.sdk.Audio.Transcriptions.NewStreaming(t.Context(), openai.AudioTranscriptionNewParams{
		File: openai.File(bytes.NewReader(sound), "talk.wav", "audio/wav"), Model: "sim-openai:" + model,
	})
	defer s.Close()
	var text, whole string
	for s.Next() {
		e := s.Current()
		if e.Type == "transcript.text.delta" {
			text += e.Delta
		} else {
			whole = e.Text
		}
	}
	if err := s.Err(); err != nil || text == "" || text != whole {
		t.Errorf("pieces %q, whole %q, %v", text, whole, err)
	}
	v, err := c.sdk.Audio.Translations.New(t.Context(), openai.AudioTranslationNewParams{ //nolint:staticcheck // deprecated there, and still called by clients
		File: openai.File(bytes.NewReader(sound), "talk.wav", "audio/wav"), Model: "sim-openai:" + model,
	})
	if err != nil || !strings.Contains(v.Text, "simulated") {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestOpenAIImages(t *testing.T) {
	c := newOpenAI(shared.aratta.url)
	r, err := c.sdk.Images.Generate(t.Context(), openai.ImageGenerateParams{Model: "sim-openai:" + model, Prompt: "a cat", N: openai.Int(2)})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Data) != 2 || r.Data[0].B64JSON == "" || r.Usage.TotalTokens == 0 {
		t.Errorf("%+v", r)
	}
	r, err = c.sdk.Images.Edit(t.Context(), openai.ImageEditParams{
		Image: openai.ImageEditParamsImageUnion{OfFile: openai.File(strings.NewReader("pixels"), "a.png", "image/png")}, Prompt: "a hat", Model: "sim-openai:" + model,
	})
	if err != nil || len(r.Data) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	s := c.sdk.Images.GenerateStreaming(t.Context(), openai.ImageGenerateParams{Model: "sim-openai:" + model, Prompt: "a cat"})
	defer s.Close()
	var kinds []string
	for s.Next() {
		kinds = append(kinds, s.Current().Type)
	}
	if err := s.Err(); err != nil || strings.Join(kinds, " ") != "image_generation.partial_image image_generation.completed" {
		t.Errorf("%v, %v", kinds, err)
	}
}

func TestOpenAIModerations(t *testing.T) {
	c, name := relays(t)
	r, err := c.sdk.Moderations.New(t.Context(), openai.ModerationNewParams{
		Model: name, Input: openai.ModerationNewParamsInputUnion{OfStringArray: []string{"hello", "flag me"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 2 || r.Results[0].Flagged || !r.Results[1].Flagged {
		t.Errorf("%+v", r)
	}
	_, err = c.sdk.Moderations.New(t.Context(), openai.ModerationNewParams{
		Model: "sim-openai:absent", Input: openai.ModerationNewParamsInputUnion{OfString: openai.String("a")},
	})
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode != 404 || e.Code != "model_not_found" {
		t.Errorf("%v, want an error that names the model", err)
	}
}

func TestOpenAIFilesAndBatches(t *testing.T) {
	c, _ := relays(t)
	lines := `{"custom_id":"one","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[]}}` + "\n"
	f, err := c.sdk.Files.New(t.Context(), openai.FileNewParams{File: openai.File(strings.NewReader(lines), "in.jsonl", "application/jsonl"), Purpose: openai.FilePurposeBatch})
	if err != nil {
		t.Fatal(err)
	}
	if f.Filename != "in.jsonl" || f.Bytes != int64(len(lines)) {
		t.Errorf("%+v", f)
	}
	pages, err := c.sdk.Files.List(t.Context(), openai.FileListParams{Limit: openai.Int(5)})
	if err != nil || len(pages.Data) == 0 || pages.Data[0].ID != f.ID {
		t.Errorf("%+v, %v", pages, err)
	}
	res, err := c.sdk.Files.Content(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, res.Body); got != lines {
		t.Errorf("%q came back", got)
	}
	res, err = c.sdk.Files.Content(t.Context(), f.ID, option.WithHeader("Range", "bytes=1-11"))
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, res.Body); got != `"custom_id"` {
		t.Errorf("a part: %q", got)
	}
	b, err := c.sdk.Batches.New(t.Context(), openai.BatchNewParams{
		InputFileID: f.ID, Endpoint: openai.BatchNewParamsEndpointV1ChatCompletions, CompletionWindow: openai.BatchNewParamsCompletionWindow24h,
	})
	if err != nil {
		t.Fatal(err)
	}
	if b, err = c.sdk.Batches.Get(t.Context(), b.ID); err != nil || b.Status != openai.BatchStatusCompleted {
		t.Fatalf("%+v, %v", b, err)
	}
	if res, err = c.sdk.Files.Content(t.Context(), b.OutputFileID); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, res.Body); !strings.Contains(got, `"custom_id":"one"`) || !strings.Contains(got, "simulated answer") {
		t.Errorf("%q", got)
	}
	if d, err := c.sdk.Files.Delete(t.Context(), f.ID); err != nil || !d.Deleted {
		t.Errorf("%+v, %v", d, err)
	}
	_, err = c.sdk.Files.Get(t.Context(), f.ID)
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode != 404 {
		t.Errorf("%v, want 404", err)
	}
}

func TestAnthropicBatches(t *testing.T) {
	c := newAnthropic(shared.aratta.url)
	b, err := c.sdk.Messages.Batches.New(t.Context(), anthropic.MessageBatchNewParams{Requests: []anthropic.MessageBatchNewParamsRequest{{
		CustomID: "one", Params: anthropic.MessageBatchNewParamsRequestParams{
			Model: model, MaxTokens: 9, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Hello"))},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if b, err = c.sdk.Messages.Batches.Get(t.Context(), b.ID, anthropic.MessageBatchGetParams{}); err != nil || b.ProcessingStatus != anthropic.MessageBatchProcessingStatusEnded {
		t.Fatalf("%+v, %v", b, err)
	}
	s := c.sdk.Messages.Batches.ResultsStreaming(t.Context(), b.ID, anthropic.MessageBatchResultsParams{})
	defer s.Close()
	n := 0
	for s.Next() {
		n++
		if r := s.Current(); r.CustomID != "one" || r.Result.Type != "succeeded" {
			t.Errorf("%+v", r)
		}
	}
	if err := s.Err(); err != nil || n != 1 {
		t.Errorf("%d results, %v", n, err)
	}
}
