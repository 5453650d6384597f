package callflows

import (
	"maps"
	"slices"

	"tandem/tenants"
)

// PromptUse is a place in a flow that names a prompt.
type PromptUse struct {
	Path   string // JSON pointer (RFC 6901) within the flow: /elements/menu/settings/prompt
	Prompt string
}

// PromptsOf lists the prompts that a flow names itself, by their paths. What its elements play when nothing is named is not among them.
func PromptsOf(f tenants.Flow) (all []PromptUse) {
	for _, key := range slices.Sorted(maps.Keys(f.Elements)) {
		e := f.Elements[key]
		kind := elementOf(e.Type)
		if kind == nil {
			continue
		}
		r := reading{}
		tree, ok := r.tree(e.Settings)
		if !ok {
			continue
		}
		r.check(kind.about().settings, "", tree)
		for _, ref := range r.references {
			if ref.kind == RefersToPrompt {
				all = append(all, PromptUse{Path: "/elements/" + escape(key) + "/settings" + ref.path, Prompt: ref.id})
			}
		}
	}
	return all
}
