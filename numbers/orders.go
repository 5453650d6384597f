package numbers

// OrderState is where an order is: work that is carried out in the background.
//
//	queued --claim--> running --finish--> done
//	   |                |  |  `--fail---> failed
//	   |                |  `--claim (the last one's lease is over)--> running
//	   +----cancel------+---> cancelled
type OrderState string

// The states.
const (
	Queued    OrderState = "queued"
	Running   OrderState = "running"
	Done      OrderState = "done"
	Failed    OrderState = "failed"
	Cancelled OrderState = "cancelled"
)

// OrderStates lists them.
func OrderStates() []OrderState { return []OrderState{Queued, Running, Done, Failed, Cancelled} }

// Over says whether an order in this state has come to its end, which never changes.
func (s OrderState) Over() bool { return s == Done || s == Failed || s == Cancelled }
