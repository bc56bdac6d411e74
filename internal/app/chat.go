package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/dialect/native"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

func (p *program) chatCommand() *cobra.Command {
	var model, system, url string
	var why bool
	cmd := &cobra.Command{
		Use: "chat [PROMPT]", Short: "Talk with the running gateway, or ask it one thing",
		Long: `Ask the running gateway and print the answer as it comes. Without a prompt, a
terminal gets a conversation, with a line editor, its history and these commands:

` + replHelp + `

Elsewhere all of standard input is the prompt.
A key for a gateway that wants one is taken from ARATTA_API_KEY.`,
		Args: cobra.ArbitraryArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			base, err := p.base(url)
			if err != nil {
				return err
			}
			c := &chatting{p: p, url: base, model: model, why: why}
			if system != "" {
				c.history = append(c.history, scri.Message{Role: scri.RoleSystem, Parts: []scri.Part{scri.TextPart(system)}})
			}
			if len(args) == 0 && p.interactive() {
				return c.converse(cmd.Context())
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return c.run(ctx, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&model, "model", "m", "", "model, chain or alias; \"sovereign\" never leaves this machine (default: the default chain)")
	f.StringVarP(&system, "system", "s", "", "system prompt")
	f.StringVar(&url, "url", "", "address of the gateway (default: that of the configuration)")
	f.BoolVar(&why, "why", false, "say afterwards who answered, and why")
	offer(cmd, "model", p.completeModels(&url))
	return cmd
}

// base is the address of the gateway: the one given, or that of the configuration.
func (p *program) base(given string) (string, error) {
	if given != "" {
		return gatewayURL(given)
	}
	l, err := Load(p.file, p.Env)
	if err != nil {
		return "", fmt.Errorf("%w\nA gateway that runs keeps to what the file was before; --url names it, like --url http://127.0.0.1:%d", err, defaultPort)
	}
	return l.url(), nil
}

// chatting is one conversation at the command line.
type chatting struct {
	p     *program
	url   string
	model string
	why   bool

	sovereign bool
	history   []scri.Message
	last      *scri.ChatResponse // the newest answer that came whole
	tried     []scri.Attempt     // who was asked for it in vain, when there is none
}

// maxPrompt bounds what is read from standard input.
const maxPrompt = 16 << 20

func (c *chatting) run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		prompt := strings.Join(args, " ")
		if strings.TrimSpace(prompt) == "" {
			return &usageError{errors.New("the prompt is empty")}
		}
		return c.ask(ctx, prompt)
	}
	b, err := io.ReadAll(io.LimitReader(c.p.In, maxPrompt+1))
	if err != nil {
		return err
	}
	if len(b) > maxPrompt {
		return fmt.Errorf("the prompt is larger than %d MB", maxPrompt>>20)
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return &usageError{errors.New("there is no prompt")}
	}
	return c.ask(ctx, string(b))
}

// forget begins a new conversation.
func (c *chatting) forget() {
	c.history = slices.DeleteFunc(c.history, func(m scri.Message) bool { return m.Role != scri.RoleSystem })
	c.last, c.tried = nil, nil
}

// tellWhy says who gave the last answer, and why; or who was asked in vain.
func (c *chatting) tellWhy(w io.Writer) {
	switch {
	case c.tried != nil:
		fmt.Fprintln(w, "nobody answered:")
		explainAttempts(w, c.tried)
	case c.last == nil:
		fmt.Fprintln(w, "nothing was answered yet")
	default:
		explain(w, c.last)
	}
}

// ask sends the conversation with one more question and prints the answer.
func (c *chatting) ask(ctx context.Context, prompt string) error {
	msgs := append(slices.Clip(c.history), scri.Message{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart(prompt)}})
	r := &scri.ChatRequest{Model: c.model, Messages: msgs, Stream: true}
	if c.sovereign {
		r.Routing = &scri.Routing{Sovereign: true}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	res, err := c.p.call(ctx, http.MethodPost, c.url, "/api/v1/chat/stream", bytes.NewReader(body))
	if err != nil {
		return c.failed(ctx, err)
	}
	defer res.Body.Close()
	answer, err := c.print(native.New().DecodeStream(answerOf(res)))
	if err != nil {
		return c.failed(ctx, err)
	}
	c.last, c.tried = answer, nil
	if len(answer.Choices) > 0 {
		c.history = append(msgs, answer.Choices[0].Output...)
	}
	if c.why {
		explain(printable(c.p.Err), answer)
	}
	return nil
}

// failed is the error of a question, of which --why tells what was tried.
func (c *chatting) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	if e, ok := errors.AsType[*scri.Error](err); ok {
		if c.tried = e.Attempts; c.why {
			explainAttempts(printable(c.p.Err), e.Attempts)
		}
	}
	return err
}

// print shows the text of an answer as it comes, and returns it whole.
func (c *chatting) print(s scri.Stream) (*scri.ChatResponse, error) {
	color, out := terminal(c.p.Out), &noting{Writer: printable(c.p.Out)}
	kinds := map[[2]int]scri.PartKind{}
	thinking := false
	answer, err := scri.Collect(scri.Tee(s, func(e *scri.StreamEvent, _ error) {
		if e == nil || e.Choice != 0 || e.Kind == scri.EventPart && e.Whole == nil {
			return
		}
		at := [2]int{e.Message, e.Part}
		switch e.Kind {
		case scri.EventPart:
			kinds[at] = e.Whole.Kind
			if e.Whole.Kind == scri.PartToolCall && e.Whole.Call != nil {
				fmt.Fprintf(out, "[calls %s] ", e.Whole.Call.Name)
			}
			if now := e.Whole.Kind == scri.PartThinking; color && now != thinking {
				thinking = now
				fmt.Fprint(c.p.Out, map[bool]string{true: "\x1b[2m", false: "\x1b[0m\n"}[now])
			}
		case scri.EventDelta:
			if k := kinds[at]; k != scri.PartThinking || color {
				fmt.Fprint(out, e.Delta.String())
			}
		default:
		}
	}))
	if thinking {
		fmt.Fprint(c.p.Out, "\x1b[0m")
	}
	fmt.Fprintln(out)
	if err == nil && out.err != nil {
		err = fmt.Errorf("the answer could not be written: %w", out.err)
	}
	return answer, err
}

// noting remembers the first failure to write.
type noting struct {
	io.Writer
	err error
}

func (w *noting) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.err = cmp.Or(w.err, err)
	return n, err
}

// explain says who answered and why.
func explain(w io.Writer, r *scri.ChatResponse) {
	l := r.Lineage
	if l == nil {
		return
	}
	explainAttempts(w, l.Attempts)
	for _, why := range l.Reasons {
		if why.Detail != "" {
			fmt.Fprintf(w, "  %s: %s: %s\n", why.Stage, strings.TrimRight(why.Code+" "+why.Target, " "), why.Detail)
		}
	}
	if u := r.Usage; u != nil && u.Input != nil && u.Output != nil {
		fmt.Fprintf(w, "  %d tokens in, %d out", *u.Input, *u.Output)
		if l.CostUSD != nil {
			fmt.Fprintf(w, ", %s USD", strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.8f", *l.CostUSD), "0"), "."))
		}
		fmt.Fprintln(w)
	}
	for _, x := range r.Warnings {
		fmt.Fprintf(w, "  %s %s %s\n", x.Code, x.Path, x.Detail)
	}
}

// explainAttempts says who was asked, and what came of it.
func explainAttempts(w io.Writer, list []scri.Attempt) {
	for i := range list {
		a := &list[i]
		fmt.Fprintf(w, "  %d. %s (%s) %s", i+1, route.Target{Provider: a.Provider, Model: a.Model}, a.Zone, a.Outcome)
		if a.Error != nil {
			fmt.Fprintf(w, ": %s: %s", a.Error.Kind, a.Error.Message)
		}
		fmt.Fprintf(w, ", %.0f ms\n", a.TookMS)
	}
}
