package dialect

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
