package explain

import (
	"time"

	"tandem/because"
	"tandem/messages"
)

// Outcome is what came of replaying a call.
type Outcome string

const (
	Same       Outcome = "same"       // it would have gone as it went
	Different  Outcome = "different"  // it would have gone differently; Difference says how
	Unfaithful Outcome = "unfaithful" // it cannot be judged; Unfaithful says why
)

// Replayed is what came of replaying one call.
type Replayed struct {
	Call       string         `json:"call"`
	At         time.Time      `json:"at"`      // when it was decided
	Dialled    string         `json:"dialled"` // hostile
	Version    int64          `json:"version"` // that decided it
	Steps      int            `json:"steps"`   // decisions that were replayed
	Outcome    Outcome        `json:"outcome"`
	Difference *Difference    `json:"difference,omitempty"`
	Unfaithful because.Reason `json:"unfaithful,omitzero"`
}

// Difference is where a call would have begun to go differently.
type Difference struct {
	Source  messages.JournalSource `json:"source"`
	N       int                    `json:"n"`                 // of the journal entry, within its source
	Element string                 `json:"element,omitempty"` // at work then when it came
	Words   string                 `json:"words"`             // "now rings Sales phone instead of playing closed"; hostile
	Was     []because.Reason       `json:"was"`               // of that decision, then
	Would   []because.Reason       `json:"would"`
}

// replayReasons are the words for why a call cannot be judged.
func replayReasons() because.Catalog {
	return because.Catalog{
		"replay_undecided":         "Its routing decision is not in the journal.",
		"replay_version_gone":      "The configuration version {version}, which decided it, is not there.",
		"replay_unreadable":        "The journal does not hold all of it, or in a form that this release does not read: {detail}.",
		"replay_step_failed":       "A step of it failed: {detail}.",
		"replay_steps_missing":     "Steps are missing in the journal, as after a worker's death.",
		"replay_decided_otherwise": "With the version of then the call {what}: what is not versioned has changed, or the release.",
		"replay_stepped_otherwise": "With the version of then the call, at {element}, {what}: what is not versioned has changed, or the release.",
	}
}
