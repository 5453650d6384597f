package provisioning_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"tandem/numbers"
	"tandem/provisioning"
	"tandem/tenants"
)

// Many who take, give back and publish at once: nobody waits for ever (PostgreSQL would end one of two that wait for each other), and each number is where
// it can be.
func TestManyWhoTakeTheSameNumbersAtOnce(t *testing.T) {
	w := trade(t)
	var added []provisioning.NewNumber
	for i := range 5 {
		added = append(added, provisioning.NewNumber{Number: fmt.Sprintf("+49301234560%d", i)})
	}
	_, err := w.AddStock(w.ctx, "reseller", added)
	w.must(err)
	w.must(w.SetAgeingDays(w.ctx, "reseller", 0))
	tenantIDs := []string{"customer", "reseller"}
	for _, id := range tenantIDs {
		w.user(id, "u", "101")
	}
	const workers, rounds = 8, 100
	var all sync.WaitGroup
	done := make([]int, workers)
	for k := range workers {
		all.Go(func() {
			draw := rand.New(rand.NewPCG(uint64(k), 1))
			for range rounds {
				tenant := tenantIDs[draw.IntN(len(tenantIDs))]
				some := []string{added[draw.IntN(5)].Number, added[draw.IntN(5)].Number}
				var err error
				switch draw.IntN(5) {
				case 0:
					_, err = w.StepNumbers(w.ctx, provisioning.NumberChange{Within: "reseller", Step: numbers.Assign, Numbers: some, Tenant: tenant})
				case 1:
					_, err = w.StepNumbers(w.ctx, provisioning.NumberChange{Within: "reseller", Step: numbers.Withdraw, Numbers: some[:1]})
				case 2:
					err = w.SaveRoute(w.ctx, tenant, tenants.Route{Dialled: some[0], FlowID: "user-u"})
				case 3:
					_, err = w.Publish(w.ctx, tenant, "t", "")
				case 4:
					_, err = w.StepNumbers(w.ctx, provisioning.NumberChange{Within: "reseller", Step: numbers.Retake, Numbers: some[:1], Tenant: tenant})
				}
				if err == nil {
					done[k]++
				} else if !errors.As(err, new(*provisioning.Error)) {
					t.Errorf("%v", err)
				}
			}
		})
	}
	all.Wait()
	wrong := row[int](w, `SELECT count(*) FROM number_stock s FULL JOIN numbers n ON n.number = s.number WHERE s.tenant_id IS DISTINCT FROM n.tenant_id`)
	total := 0
	for _, n := range done {
		total += n
	}
	if stock := row[int](w, `SELECT count(*) FROM number_stock`); wrong != 0 || stock != len(added) || total < workers {
		t.Errorf("%d numbers are not where the inventory says, of %d; %d steps were done", wrong, stock, total)
	}
	used := row[int](w, `
		SELECT count(*) FROM number_stock s JOIN tenants t ON t.id = s.tenant_id LEFT JOIN tenant_versions v ON v.tenant_id = t.id AND v.version = t.published_version
		 WHERE (s.state = 'in_use') IS DISTINCT FROM (v.document IS NOT NULL AND jsonb_path_exists(v.document, '$.routes[*] ? (@.dialled == $n)', jsonb_build_object('n', s.number)))`)
	if used != 0 {
		t.Errorf("of %d numbers the inventory does not say whether they are used", used)
	}
}
