package explain

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
)

// MaxArrows bounds a ladder: what a call of 256 legs brings, and some holding and moving besides.
const MaxArrows = 1200

// Ladder is the SIP of one call as far as somebody has reported it: nothing in it is guessed. Texts of phones and carriers are hostile.
type Ladder struct {
	Call    string   `json:"call"`
	Tenant  string   `json:"tenant"`
	Columns []Column `json:"columns" nullable:"false"` // from left to right: caller, edges, nodes, who was called
	Arrows  []Arrow  `json:"arrows" nullable:"false"`  // in the order of their times
	Unknown []string `json:"unknown" nullable:"false"` // what nobody has reported, in words
	More    int      `json:"more,omitempty"`           // arrows that were left out, beyond MaxArrows
}

// Column is one party of a ladder.
type Column struct {
	ID    string     `json:"id"`
	Kind  ColumnKind `json:"kind" enum:"caller,edge,node,called"`
	Name  string     `json:"name"`
	About string     `json:"about,omitempty"` // its address, or what it says of itself
}

// ColumnKind says what a party is.
type ColumnKind string

// The kinds.
const (
	CallerColumn ColumnKind = "caller"
	EdgeColumn   ColumnKind = "edge"
	NodeColumn   ColumnKind = "node"
	CalledColumn ColumnKind = "called"
)

// Teller is who has reported an arrow.
type Teller string

// The tellers.
const (
	TellsEdge    Teller = "edge"    // asked routing about it
	TellsRouting Teller = "routing" // answered the edge so; that the edge has obeyed is told by nobody
	TellsNode    Teller = "node"    // by an event of its own
	TellsRecord  Teller = "record"  // the leg's record alone
)

// Arrow is one SIP message, or one note if it has no Message: then To is From, where it belongs.
type Arrow struct {
	At      time.Time `json:"at"`
	From    string    `json:"from"` // id of a column
	To      string    `json:"to"`
	Via     string    `json:"via,omitempty"`     // id of the edge's column that is between: it passes the message on, and tells nothing of that
	Message string    `json:"message,omitempty"` // INVITE, re-INVITE, REFER, CANCEL, BYE, 18x, or a status such as 200
	Code    int       `json:"code,omitempty"`    // of an answer
	Cause   string    `json:"cause,omitempty"`   // FreeSWITCH's name of the Q.850 cause
	Q850    int       `json:"q850,omitempty"`
	Words   string    `json:"words,omitempty"`
	Leg     string    `json:"leg,omitempty"` // channel uuid
	CallID  string    `json:"sip_call_id,omitempty"`
	Told    Teller    `json:"told" enum:"edge,routing,node,record"`
}

// DrawLadder draws a call's ladder from its journal and its CDRs, in whichever order they come.
func DrawLadder(call string, entries []messages.JournalEntry, cdrs []messages.CDR) Ladder {
	l := &ladder{Ladder: Ladder{Call: call, Columns: []Column{}, Arrows: []Arrow{}, Unknown: []string{}}, legs: map[string]*rung{}, edges: map[string]string{}}
	entries = inOrder(entries)
	l.names(entries)
	for _, e := range entries {
		l.Tenant = cmp.Or(e.Tenant, l.Tenant)
		if e.Source == messages.SourceRouting {
			l.asked(e)
			continue
		}
		l.stepped(e)
	}
	l.fromRecords(cdrs)
	l.finish()
	return l.Ladder
}

// ladder is a Ladder that is being drawn.
type ladder struct {
	Ladder
	legs    map[string]*rung // by channel uuid
	edges   map[string]string
	node    string       // column of the one that has the call
	goesTo  string       // name of the node to which it was ordered
	signals map[int]bool // commands by which a caller is told of ringing
	routed  bool         // routing's entry is there
	onNode  bool         // a node has told of the call
	login   string
}

// rung is what is drawn of a leg.
type rung struct {
	column, edge                            string
	caller                                  bool
	invited, rang, sounded, answered, ended bool
}

func (l *ladder) column(id string, kind ColumnKind, name, about string) string {
	if at := slices.IndexFunc(l.Columns, func(c Column) bool { return c.ID == id }); at >= 0 {
		c := &l.Columns[at]
		c.Name, c.About = cmp.Or(c.Name, name), cmp.Or(c.About, about)
		return id
	}
	l.Columns = append(l.Columns, Column{ID: id, Kind: kind, Name: name, About: about})
	return id
}

// edge is the column of the edge at a SIP URI. The one that has brought the call is known by its name as well.
func (l *ladder) edge(uri string) string {
	if uri == "" {
		return ""
	}
	id, known := l.edges[uri]
	if !known {
		id = "edge" + strconv.Itoa(len(l.edges)+1)
		l.edges[uri] = id
	}
	return l.column(id, EdgeColumn, strings.TrimPrefix(uri, "sip:"), "")
}

func (l *ladder) nodeColumn(name string) string { return l.column("node "+name, NodeColumn, name, "") }

// names gives the edge that has brought the call the name that it asked routing with: the node knows its address alone.
func (l *ladder) names(entries []messages.JournalEntry) {
	brought := "" // its address
	for _, e := range entries {
		var event callflows.Event
		if e.Source == messages.SourceCallflow && json.Unmarshal(e.Input, &event) == nil && event.Call != nil && event.Call.Ordered == nil {
			brought = cmp.Or(brought, event.Call.Edge)
		}
	}
	for _, e := range entries {
		if e.Source != messages.SourceRouting {
			continue
		}
		if in, err := routing.ReadJournal(e); err == nil {
			l.edges[cmp.Or(brought, "?")] = "edge1"
			l.column("caller", CallerColumn, "", "")
			l.column("edge1", EdgeColumn, in.Request.Edge, strings.TrimPrefix(brought, "sip:"))
			return
		}
	}
}

// asked draws the INVITE that an edge has asked routing about, and a refusal.
func (l *ladder) asked(e messages.JournalEntry) {
	in, err := routing.ReadJournal(e)
	var out routing.Decision
	if err != nil || json.Unmarshal(e.Output, &out) != nil {
		return
	}
	r := in.Request
	l.routed, l.login = true, r.AuthUser
	name := cmp.Or(out.Caller.Device, out.Caller.Trunk, r.AuthUser, out.Caller.Number, r.From.User)
	if r.Between != "" {
		name = "a node, for the tenant " + r.Between
	}
	l.column("caller", CallerColumn, name, strings.TrimSpace(r.Source.String()+" "+r.UserAgent))
	words := "to " + cmp.Or(r.To.User, r.To.Host) + ", from " + cmp.Or(r.From.User, r.From.Host)
	l.draw(Arrow{At: e.At, From: "caller", To: "edge1", Message: "INVITE", Words: words + " over " + strings.ToUpper(r.Transport), CallID: r.SIPCallID, Told: TellsEdge})
	if out.Verdict == messages.Reject {
		l.draw(Arrow{At: e.At, From: "edge1", To: "caller", Message: strconv.Itoa(out.Code), Code: out.Code, Cause: out.Cause, Q850: out.Q850, Words: out.Phrase, CallID: r.SIPCallID, Told: TellsRouting})
		return
	}
	if len(out.Nodes) > 1 {
		l.note(e.At, "edge1", "told to try, in this order: "+strings.Join(l.nodeNames(in.Facts.Nodes, out.Nodes), ", "), TellsRouting)
	}
}

// nodeNames names nodes by their SIP URIs.
func (l *ladder) nodeNames(known []routing.Node, uris []string) []string {
	names := make([]string, len(uris))
	for i, uri := range uris {
		names[i] = uri
		for _, n := range known {
			if n.SIPURI == uri {
				names[i] = n.Name
			}
		}
	}
	return names
}

func (l *ladder) draw(a Arrow) {
	if len(l.Arrows) >= MaxArrows {
		l.More++
		return
	}
	l.Arrows = append(l.Arrows, a)
}

func (l *ladder) note(at time.Time, column, words string, told Teller) {
	l.draw(Arrow{At: at, From: column, To: column, Words: words, Told: told})
}

// finish puts all in order, and says what is not known.
func (l *ladder) finish() {
	slices.SortStableFunc(l.Arrows, func(a, b Arrow) int { return a.At.Compare(b.At) })
	place := []ColumnKind{CallerColumn, EdgeColumn, NodeColumn, CalledColumn}
	slices.SortStableFunc(l.Columns, func(a, b Column) int { return slices.Index(place, a.Kind) - slices.Index(place, b.Kind) })
	for i := range l.Columns {
		l.Columns[i].Name = cmp.Or(l.Columns[i].Name, string(l.Columns[i].Kind))
	}
	if len(l.Arrows) == 0 {
		l.Unknown = append(l.Unknown, "Nothing is kept of this call's signalling.")
		return
	}
	say := func(when bool, words string) {
		if when {
			l.Unknown = append(l.Unknown, words)
		}
	}
	ended := slices.ContainsFunc(l.Arrows, func(a Arrow) bool { return a.Told == TellsRouting && a.Code != 0 })
	say(!l.routed && l.hasCaller(), "What the caller has sent to the edge: routing's entry is missing.")
	say(l.routed && !l.onNode && !ended, "Whether a media node was reached, and what the edge has answered then: no node has told of this call.")
	say(l.login != "", "Whether the phone was asked for its password before (407): the edge has verified it as "+l.login+".")
	say(l.onNode && l.hasCaller(), "Which ringing (180, 183) the caller was sent, but where a flow has ordered it.")
	say(true, "100 Trying, ACK, and what was sent again.")
}

func (l *ladder) hasCaller() bool {
	return slices.ContainsFunc(l.Columns, func(c Column) bool { return c.Kind == CallerColumn })
}
