package trust_test

import (
	"fmt"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// A cluster is an authority; a node is a key; a membership is the certificate that
// the authority gives for the key. Verifier turns it into TLS settings that let in
// members of the same cluster and nobody else.
func Example() {
	now := time.Now()
	authority, err := trust.NewCA(now)
	if err != nil {
		fmt.Println(err)
		return
	}
	identity, err := trust.NewIdentity()
	if err != nil {
		fmt.Println(err)
		return
	}
	worker, err := authority.Enrol(identity, []task.Role{task.RoleWorker}, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier := &trust.Verifier{Membership: func() *trust.Membership { return worker }}
	settings := verifier.Dial(worker, "", trust.ALPNMember)

	fmt.Println("a member of the cluster:", worker.ClusterID() == authority.ClusterID())
	fmt.Println("may work:", worker.May(task.RoleWorker))
	fmt.Println("may dispatch:", worker.May(task.RoleDispatcher))
	fmt.Println("to be renewed now:", worker.RenewalDue(now))
	fmt.Println("to be renewed in 16 days:", worker.RenewalDue(now.AddDate(0, 0, 16)))
	fmt.Println("speaks:", settings.NextProtos)
	// Output:
	// a member of the cluster: true
	// may work: true
	// may dispatch: false
	// to be renewed now: false
	// to be renewed in 16 days: true
	// speaks: [octaskly/1]
}
