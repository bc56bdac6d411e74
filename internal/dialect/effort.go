package dialect

import "github.com/aratta-gateway/aratta/scri"

// LeastBudget is the least number of tokens for thinking that an effort stands for.
const LeastBudget = 1024

// BudgetOf is the number of tokens for thinking that stands for an effort where
// only such a number can be asked for.
func BudgetOf(effort string) int64 {
	switch effort {
	case "minimal":
		return LeastBudget
	case "low":
		return 4096
	case "high":
		return 24576
	case "xhigh":
		return 32768
	case "max":
		return 65536
	default: // medium, on, and whatever somebody may call it
		return 10240
	}
}

// EffortWord is the word for how much a model may think in OpenAI's formats,
// which know no budgets of tokens and fewer words than others. code says how it
// differs from what was asked: "" not at all, [scri.WarnEmulated] it is the
// nearest word, [scri.WarnDropped] there is none.
func EffortWord(r *scri.Reasoning) (word, code string) {
	word = r.Effort
	if r.Budget != nil && (word == "" || word == "on") {
		word = effortFor(*r.Budget)
	}
	switch word {
	case "on":
		word = "medium"
	case "max":
		word = "high"
	case "none":
		if r.Effort != "" {
			return "", scri.WarnDropped
		}
		return "", ""
	}
	if word != r.Effort {
		code = scri.WarnEmulated
	}
	return word, code
}

// effortFor is the word for a budget, by the thirds that the formats which have
// both use.
func effortFor(budget int64) string {
	switch {
	case budget <= 0:
		return "none"
	case budget <= 4096:
		return "low"
	case budget <= 16384:
		return "medium"
	default:
		return "high"
	}
}

// NoThinking says why Claude's thinking cannot be switched on for this conversation:
// the API would refuse the request. own is the dialect whose signatures count.
func NoThinking(req *scri.ChatRequest, own string) string {
	if c := req.ToolChoice; c != nil && (c.Mode == scri.ToolsRequired || c.Mode == scri.ToolsNamed) {
		return "not possible while a tool must be called"
	}
	list := req.Messages
	if len(list) == 0 {
		return ""
	}
	last := &list[len(list)-1]
	if last.Role == scri.RoleAssistant {
		return "not possible while an answer is given in part"
	}
	if !holdsResult(last) {
		return ""
	}
	// In the midst of tool calls the turn must have begun with signed thoughts.
	i := len(list) - 1
	for i > 0 && (list[i].Role == scri.RoleAssistant || holdsResult(&list[i])) {
		i--
	}
	for ; i < len(list); i++ {
		if list[i].Role == scri.RoleAssistant {
			break
		}
	}
	if i == len(list) || len(list[i].Parts) == 0 {
		return ""
	}
	if p := &list[i].Parts[0]; p.Kind == scri.PartThinking && p.Signature != nil && p.Signature.Dialect == own {
		return ""
	}
	return "not possible in the midst of tool calls that began without thoughts of this API"
}

func holdsResult(m *scri.Message) bool {
	for i := range m.Parts {
		if m.Parts[i].Kind == scri.PartToolResult {
			return true
		}
	}
	return false
}
