package main

import (
	"context"
	"fmt"
	"testing"

	"tandem/numbers"
	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/tenants"
)

// A number that comes by a sheet, carried out by the worker, is called as soon as a route leads from it; and one that is taken back is not any more.
func TestANumberOfASheetIsCalledAndOneThatIsTakenBackIsNot(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	number := "+1303555" + c.number[len(c.number)-4:]
	ctx, p := within(t), w.Provisioning
	o, err := p.CreateOrder(ctx, provisioning.NewOrder{Kind: provisioning.ImportNumbers, Country: "US", By: "test",
		Body: fmt.Appendf(nil, "number;tenant;note\r\n(303) 555-%s;%s;\"caf\xe9\"\r\n", number[len(number)-4:], c.id)})
	must(t, err)
	awaitThat(t, "the worker does not carry the order out", func(ctx context.Context) (bool, error) {
		o, err = p.Order(ctx, "", o.ID)
		return o.State.Over(), err
	})
	if o.State != numbers.Done {
		faults, err := p.OrderErrors(ctx, "", o.ID, 1, 10)
		t.Fatalf("%s: %v %v", o.State, faults, err)
	}
	c.flow(t, number, "two", map[string]tenants.Element{"two": ringing("at_once", 10, "two")})
	c.publish(t)
	c.register(t, "two")
	two := c.listen(t, "two", sipptest.Behaviour{})
	succeed(t, w.incoming(t, "+12025550177", number, sipptest.Call{}), two)

	_, err = p.StepNumbers(ctx, provisioning.NumberChange{Within: c.id, Step: numbers.Withdraw, Numbers: []string{number}})
	must(t, err)
	w.awaitRevision(t)
	succeed(t, w.incoming(t, "+12025550177", number, sipptest.Call{Expect: 404}))
}
