// Random cases in the form of tests/fixtures/README.md, each with the answer of the reference's own code.
//
// Inputs are drawn near the rule's edges: ages at and beside a period's end, usages at a tolerance's end, requests
// of 0. Where the reference would wrap (int32, int64) is kept out: there we differ on purpose.
package podautoscaler

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

type object = map[string]any

type gen struct{ *rand.Rand }

func (g gen) chance(p float64) bool      { return g.Float64() < p }
func (g gen) between(lo, hi int64) int64 { return lo + g.Int63n(hi-lo+1) }

func pick[T any](g gen, list ...T) T { return list[g.Intn(len(list))] }

// eighths draws seconds that are whole eighths, so that a double and a millisecond hold them.
func (g gen) eighths(lo, hi int64) float64 { return float64(g.between(lo*8, hi*8)) / 8 }

// beside draws one of a second figure's neighbours or the figure itself.
func (g gen) beside(at float64) float64 { return max(0, at+pick(g, -0.125, 0, 0, 0.125)) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (g gen) tolerances(c object) Tolerances {
	t := Tolerances{scaleDown: 0.1, scaleUp: 0.1}
	if g.chance(.2) {
		t.scaleUp = pick(g, 0, .05, .25, 1)
		c["tolerance_up"] = t.scaleUp
	}
	if g.chance(.2) {
		t.scaleDown = pick(g, 0, .05, .25, 1)
		c["tolerance_down"] = t.scaleDown
	}
	return t
}

// ---- pods ----

// pod draws a pod: the fields that differ from the defaults, and the same as the API and the metrics show it.
func (g gen) pod(cpuInit, readyDelay float64, usual int64) (object, *v1.Pod, *metricsclient.PodMetric) {
	now := time.Now()
	o := object{}
	draw := func(key string, p, otherwise float64, value func() float64) float64 {
		if !g.chance(p) {
			return otherwise
		}
		v := value()
		o[key] = v
		return v
	}
	start := draw("start_age_s", .5, 86400, func() float64 {
		return pick(g, g.beside(cpuInit), g.eighths(0, 700), 20)
	})
	window := draw("window_s", .2, 60, func() float64 { return pick(g, 15.0, 30, 90) })
	sampleAge := draw("sample_age_s", .3, 0, func() float64 { return g.eighths(0, 90) })
	ready := draw("ready_age_s", .6, 80000, func() float64 {
		return pick(g, g.beside(start-readyDelay), g.beside(sampleAge+window), g.eighths(0, 700))
	})
	request := int64(1000)
	if g.chance(.3) {
		request = pick[int64](g, 0, 1, 3, 100, 250, 333, 2000)
		o["request_m"] = request
	}
	p := &v1.Pod{Status: v1.PodStatus{Phase: v1.PodRunning}}
	container := v1.Container{Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
		v1.ResourceCPU: *milli(request), v1.ResourceMemory: *milli(request)}}}
	if g.chance(.01) {
		o["no_request"] = true
		container.Resources.Requests = nil
	}
	p.Spec.Containers = []v1.Container{container}
	if g.chance(.25) {
		p.Status.Phase = pick(g, v1.PodPending, v1.PodFailed, v1.PodSucceeded, v1.PodUnknown, v1.PodPending)
		o["phase"] = string(p.Status.Phase)
	}
	if g.chance(.07) {
		o["deleting"] = true
		p.DeletionTimestamp = &metav1.Time{Time: now}
	}
	if g.chance(.05) {
		o["no_start_time"] = true
	} else {
		p.Status.StartTime = &metav1.Time{Time: now.Add(-seconds(start))}
	}
	status := "True"
	if g.chance(.35) {
		status = pick(g, "False", "False", "Unknown", "none")
		o["ready"] = status
	}
	if status != "none" {
		p.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: v1.ConditionStatus(status),
			LastTransitionTime: metav1.Time{Time: now.Add(-seconds(ready))}}}
	}
	if g.chance(.15) {
		return o, p, nil
	}
	usage := max(0, usual+g.between(-usual/8-1, usual/8+1))
	switch {
	case g.chance(.5):
		usage = usual
	case g.chance(.1):
		usage = pick(g, 0, 1, -50, 99999, g.between(0, 100000))
	}
	o["usage_m"] = usage
	return o, p, &metricsclient.PodMetric{Timestamp: now.Add(-seconds(sampleAge)), Window: seconds(window), Value: usage}
}

func (g gen) pods(w *world, c object, cpuInit, readyDelay float64, usual int64) {
	w.samples = metricsclient.PodMetricsInfo{}
	list := []object{}
	for i := g.between(0, 5) + 1 - pick[int64](g, 0, 0, 0, 1); i > 0; i-- {
		o, p, sample := g.pod(cpuInit, readyDelay, usual)
		count := 1
		if g.chance(.5) {
			count = int(g.between(1, 12))
			o["count"] = count
		}
		for n := 0; n < count; n++ {
			clone := p.DeepCopy()
			clone.Name = fmt.Sprintf("p%d-%d", i, n)
			w.pods = append(w.pods, clone)
			if sample != nil {
				w.samples[clone.Name] = *sample
			}
		}
		list = append(list, o)
	}
	c["pods"] = list
}

func (g gen) replicasNear(n int) int64 {
	return pick(g, int64(n), int64(n), g.between(0, 20), g.between(1, 200), max(1, int64(n)-1))
}

func wantOf(err error, want object) object {
	if err != nil {
		return object{"error": true, "error_kind": errorKind(err)}
	}
	want["error"] = false
	return want
}

func (g gen) podMetric(c object, kind string) object {
	w := &world{}
	cpuInit, readyDelay, name := 300.0, 30.0, v1.ResourceCPU
	if g.chance(.2) {
		cpuInit = pick(g, 0.0, 60, 120)
		c["cpu_init_s"] = cpuInit
	}
	if g.chance(.2) {
		readyDelay = pick(g, 0.0, 10, 60)
		c["ready_delay_s"] = readyDelay
	}
	if kind != "pods" && g.chance(.1) {
		name = v1.ResourceMemory
		c["resource"] = "memory"
	}
	// a usage from which the target's tolerances are within reach
	target := pick(g, 1, 30, 50, 80, 100, 130, g.between(1, 400))
	factor := pick(g, 90, 110, 100, 111, 89, 125, 75, g.between(20, 300))
	usual := target * 10 * factor / 100
	if kind != "resource" {
		target *= 10
	}
	g.pods(w, c, cpuInit, readyDelay, usual)
	if g.chance(.1) {
		unlisted := []int64{}
		for i := g.between(1, 3); i > 0; i-- {
			value := g.between(0, 2*usual)
			unlisted = append(unlisted, value)
			w.samples[fmt.Sprintf("gone-%d", i)] = metricsclient.PodMetric{Timestamp: time.Now(), Window: time.Minute, Value: value}
		}
		c["unlisted_usage_m"] = unlisted
	}
	current := g.replicasNear(len(w.pods))
	c["current_replicas"] = current
	tolerances := g.tolerances(c)
	calc, any := w.calculator(seconds(cpuInit), seconds(readyDelay)), labels.Everything()
	if kind == "resource" {
		c["target_pct"] = target
		n, pct, average, _, err := calc.GetResourceReplicas(context.Background(), int32(current), int32(target), name, tolerances, namespace, any, "")
		return wantOf(err, object{"replicas": n, "utilization_pct": pct, "average_m": average})
	}
	c["target_m"] = target
	if kind == "raw" {
		n, average, _, err := calc.GetRawResourceReplicas(context.Background(), int32(current), target, name, tolerances, namespace, any, "")
		return wantOf(err, object{"replicas": n, "average_m": average})
	}
	n, average, _, err := calc.GetMetricReplicas(int32(current), target, "m", tolerances, namespace, any, any)
	return wantOf(err, object{"replicas": n, "average_m": average})
}

// ---- one value ----

func (g gen) value(c object, kind string) object {
	w := &world{}
	target := pick(g, 1, 100, 4400, g.between(1, 100000))
	isObject := kind == "object_value" || kind == "object_per_pod"
	perPod := kind == "object_per_pod" || kind == "external_per_pod"
	current := pick(g, 0, g.between(1, 12), g.between(1, 300))
	total := target * pick(g, 90, 110, 100, 111, 89, g.between(0, 1000)) / 100
	if perPod {
		total *= max(1, current)
	}
	w.values = []int64{total}
	if !isObject && g.chance(.4) {
		part := g.between(0, total)
		w.values = []int64{part, total - part}
	}
	c["values_m"], c["target_m"] = w.values, target
	tolerances := g.tolerances(c)
	calc, any := w.calculator(5*time.Minute, 30*time.Second), labels.Everything()
	reference := &autoscalingv2.CrossVersionObjectReference{}
	var n int32
	var usage int64
	var err error
	if perPod {
		c["status_replicas"] = current
		if isObject {
			n, usage, _, err = calc.GetObjectPerPodMetricReplicas(int32(current), target, "m", tolerances, namespace, reference, any)
		} else {
			n, usage, _, err = calc.GetExternalPerPodMetricReplicas(int32(current), target, "m", tolerances, namespace, &metav1.LabelSelector{})
		}
		want := object{"replicas": n}
		if current > 0 {
			want["average_m"] = usage
		}
		return wantOf(err, want)
	}
	c["current_replicas"] = current
	g.pods(w, c, 300, 30, 500)
	if isObject {
		n, usage, _, err = calc.GetObjectMetricReplicas(int32(current), target, "m", tolerances, namespace, reference, any, any)
	} else {
		n, usage, _, err = calc.GetExternalMetricReplicas(int32(current), target, "m", tolerances, namespace, &metav1.LabelSelector{}, any)
	}
	return wantOf(err, object{"replicas": n, "value_m": usage})
}

// ---- several metrics: a proposal of n is an object's value of n pods' worth, status.replicas being 0 ----

func (g gen) proposals(w *world, lo, hi int64) ([]object, []autoscalingv2.MetricSpec) {
	w.byName = map[string]int64{}
	w.samples, w.values = nil, nil
	w.scale.Status.Replicas = 0
	list, specs := []object{}, []autoscalingv2.MetricSpec{}
	utilization := int32(50)
	resourceTarget := autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &utilization}
	valueTarget := autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: milli(1000)}
	for i := g.between(1, 4); i > 0; i-- {
		name := fmt.Sprintf("m%d", i)
		identifier := autoscalingv2.MetricIdentifier{Name: name}
		if g.chance(.75) {
			n := g.between(lo, hi)
			list = append(list, object{"replicas": n})
			w.byName[name] = n * 1000
			specs = append(specs, autoscalingv2.MetricSpec{Type: autoscalingv2.ObjectMetricSourceType,
				Object: &autoscalingv2.ObjectMetricSource{Metric: identifier, Target: valueTarget}})
			continue
		}
		failing := []autoscalingv2.MetricSpec{
			{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{Name: v1.ResourceCPU, Target: resourceTarget}},
			{Type: autoscalingv2.ContainerResourceMetricSourceType, ContainerResource: &autoscalingv2.ContainerResourceMetricSource{Name: v1.ResourceCPU, Container: "c", Target: resourceTarget}},
			{Type: autoscalingv2.PodsMetricSourceType, Pods: &autoscalingv2.PodsMetricSource{Metric: identifier, Target: valueTarget}},
			{Type: autoscalingv2.ObjectMetricSourceType, Object: &autoscalingv2.ObjectMetricSource{Metric: identifier, Target: valueTarget}},
			{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{Metric: identifier, Target: valueTarget}},
		}
		spec := pick(g, failing...)
		list = append(list, object{"error": "FailedGet" + string(spec.Type) + "Metric"})
		specs = append(specs, spec)
	}
	return list, specs
}

func (g gen) metrics(c object, _ string) object {
	w := &world{}
	spec := g.between(0, 12)
	c["spec_replicas"] = spec
	list, specs := g.proposals(w, pick[int64](g, 0, 0, 0, -4), 14)
	c["proposals"] = list
	w.scale.Spec.Replicas = int32(spec)
	hpa := &autoscalingv2.HorizontalPodAutoscaler{}
	a := w.controller(5 * time.Minute)
	n, _, _, _, err := a.computeReplicasForMetrics(context.Background(), hpa, &w.scale, specs)
	want := object{"act": err == nil || n != -1, "error": err != nil,
		"scaling_active": condition(&hpa.Status, autoscalingv2.ScalingActive)}
	if want["act"] == true {
		want["replicas"] = n
	}
	return want
}

// ---- windows, rates and bounds ----

func (g gen) bounds(c object, lo int64) (*int32, int32) {
	minimum, maximum := int32(1), int32(100)
	if g.chance(.3) {
		minimum = int32(g.between(lo, 8))
		c["min_replicas"] = minimum
	}
	if g.chance(.6) {
		maximum = int32(g.between(max(1, int64(minimum)), 60))
		c["max_replicas"] = maximum
	}
	return &minimum, maximum
}

func (g gen) window(c object) time.Duration {
	if !g.chance(.3) {
		return 300 * time.Second
	}
	w := pick(g, 0, 60, 3600, g.between(1, 600))
	c["downscale_window_s"] = w
	return time.Duration(w) * time.Second
}

func (g gen) rules(isUp bool) (object, *autoscalingv2.HPAScalingRules) {
	o, rules := object{}, &autoscalingv2.HPAScalingRules{}
	if g.chance(.5) {
		w := int32(pick(g, 0, 60, 300, g.between(0, 600)))
		o["window_s"], rules.StabilizationWindowSeconds = w, &w
	}
	if g.chance(.4) {
		s := pick(g, autoscalingv2.MaxChangePolicySelect, autoscalingv2.MinChangePolicySelect, autoscalingv2.DisabledPolicySelect)
		o["select"], rules.SelectPolicy = string(s), &s
	}
	if g.chance(.7) {
		list := []object{}
		for i := g.between(1, 3); i > 0; i-- {
			p := autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: int32(g.between(1, 12)),
				PeriodSeconds: int32(pick(g, 15, 60, 600, g.between(1, 1800)))}
			if g.chance(.5) {
				p.Type, p.Value = autoscalingv2.PercentScalingPolicy, int32(pick(g, 10, 100, 33, g.between(1, 300)))
				if !isUp {
					p.Value = int32(pick(g, 10, 100, 33, g.between(1, 100)))
				}
			}
			rules.Policies = append(rules.Policies, p)
			list = append(list, object{"type": string(p.Type), "value": p.Value, "period_s": p.PeriodSeconds})
		}
		o["policies"] = list
	}
	return o, rules
}

// behavior draws one, with the API server's own defaulting of what is left out.
func (g gen) behavior(c object) *autoscalingv2.HorizontalPodAutoscalerBehavior {
	b, o := &autoscalingv2.HorizontalPodAutoscalerBehavior{}, object{}
	if g.chance(.6) {
		o["scale_up"], b.ScaleUp = g.rules(true)
	}
	if g.chance(.6) {
		o["scale_down"], b.ScaleDown = g.rules(false)
	}
	c["behavior"] = o
	b.ScaleUp = defaults.GenerateHPAScaleUpRules(b.ScaleUp)
	b.ScaleDown = defaults.GenerateHPAScaleDownRules(b.ScaleDown)
	return b
}

func (g gen) age() float64 {
	return pick(g, g.eighths(0, 700), g.beside(300), g.beside(60), g.beside(15), g.eighths(0, 60))
}

func (g gen) events(c object, key string) []timestampedScaleEvent {
	list, events := []object{}, []timestampedScaleEvent{}
	for i := g.between(0, 4); i > 0; i-- {
		age, change := g.age(), g.between(1, 12)
		list = append(list, object{"age_s": age, "change": change})
		events = append(events, timestampedScaleEvent{int32(change), time.Now().Add(-seconds(age)), false})
	}
	c[key] = list
	return events
}

func (g gen) normalize(c object, kind string) object {
	w := &world{}
	hpa := &autoscalingv2.HorizontalPodAutoscaler{}
	window := g.window(c)
	minimum, maximum := g.bounds(c, 0)
	hpa.Spec.MinReplicas, hpa.Spec.MaxReplicas = minimum, maximum
	current := int32(pick(g, g.between(int64(*minimum), int64(maximum)), g.between(0, 2*int64(maximum))))
	proposal := int32(g.between(-3, 2*int64(maximum)+5))
	c["current_replicas"], c["proposal"] = current, proposal
	list, recommendations := []object{}, []timestampedRecommendation{}
	for i := g.between(0, 5); i > 0; i-- {
		age, n := g.age(), g.between(0, int64(maximum)+5)
		list = append(list, object{"age_s": age, "replicas": n})
		recommendations = append(recommendations, timestampedRecommendation{int32(n), time.Now().Add(-seconds(age))})
	}
	c["recommendations"] = list
	fresh := func() *HorizontalController {
		a := w.controller(window)
		a.recommendations[hpaKey] = append([]timestampedRecommendation{}, recommendations...)
		return a
	}
	var n, stabilized int32
	if kind == "normalize" {
		stabilized = fresh().stabilizeRecommendation(hpaKey, proposal)
		n = fresh().normalizeDesiredReplicas(hpa, hpaKey, current, proposal, *minimum)
	} else {
		hpa.Spec.Behavior = g.behavior(c)
		a := fresh()
		a.scaleUpEvents[hpaKey] = g.events(c, "scale_up_events")
		a.scaleDownEvents[hpaKey] = g.events(c, "scale_down_events")
		n = a.normalizeDesiredReplicasWithBehaviors(hpa, hpaKey, current, proposal, *minimum) // sets the down window
		stabilized, _, _ = fresh().stabilizeRecommendationWithBehaviors(NormalizationArg{Key: hpaKey,
			ScaleUpBehavior: hpa.Spec.Behavior.ScaleUp, ScaleDownBehavior: hpa.Spec.Behavior.ScaleDown,
			MinReplicas: *minimum, MaxReplicas: maximum, CurrentReplicas: current, DesiredReplicas: proposal})
	}
	return object{"replicas": n, "stabilized": stabilized,
		"able_to_scale":   condition(&hpa.Status, autoscalingv2.AbleToScale),
		"scaling_limited": condition(&hpa.Status, autoscalingv2.ScalingLimited)}
}

func (g gen) cycle(c object, _ string) object {
	w := &world{scale: autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: int32(g.between(0, 40))}}}
	a := w.controller(g.window(c))
	c["spec_replicas"] = w.scale.Spec.Replicas
	hpa := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: namespace}}
	hpa.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "cart", APIVersion: "apps/v1"}
	hpa.Spec.MinReplicas, hpa.Spec.MaxReplicas = g.bounds(c, 0)
	if g.chance(.7) {
		hpa.Spec.Behavior = g.behavior(c)
	}
	steps := []object{}
	for i := g.between(2, 14); i > 0; i-- {
		step := object{}
		after := pick(g, 15, 15, g.eighths(0, 20), g.eighths(0, 400), 300, 60)
		step["after_s"] = after
		time.Sleep(seconds(after))
		if g.chance(.1) {
			w.scale.Spec.Replicas = int32(g.between(0, 40))
			step["set_replicas"] = w.scale.Spec.Replicas
		}
		w.writeFails = g.chance(.08)
		if w.writeFails {
			step["write_fails"] = true
		}
		step["proposals"], hpa.Spec.Metrics = g.proposals(w, 0, 60)
		w.writes = 0
		err := a.reconcileAutoscaler(context.Background(), hpa, hpaKey)
		hpa.Status = w.status
		step["want"] = object{"replicas": w.scale.Spec.Replicas, "written": w.writes > 0, "error": err != nil,
			"able_to_scale":   condition(&hpa.Status, autoscalingv2.AbleToScale),
			"scaling_active":  condition(&hpa.Status, autoscalingv2.ScalingActive),
			"scaling_limited": condition(&hpa.Status, autoscalingv2.ScalingLimited)}
		steps = append(steps, step)
	}
	c["steps"] = steps
	return nil
}

// ---- the file ----

func number(t *testing.T, name string) int64 {
	n, err := strconv.ParseInt(os.Getenv(name), 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

func TestCases(t *testing.T) {
	g := gen{rand.New(rand.NewSource(number(t, "HPA_DIFF_SEED")))}
	count := number(t, "HPA_DIFF_CASES")
	file, err := os.Create(os.Getenv("HPA_DIFF_FILE"))
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(file)
	kinds := []struct {
		name string
		make func(c object, kind string) object
	}{
		{"resource", g.podMetric}, {"resource", g.podMetric}, {"resource", g.podMetric}, {"raw", g.podMetric},
		{"pods", g.podMetric}, {"object_value", g.value}, {"external_value", g.value}, {"object_per_pod", g.value},
		{"external_per_pod", g.value}, {"metrics", g.metrics}, {"normalize", g.normalize},
		{"normalize_behavior", g.normalize}, {"normalize_behavior", g.normalize}, {"cycle", g.cycle},
	}
	fmt.Fprint(out, `{"version":1,"source":"k8s.io/kubernetes 1.34.4","defaults":{"tolerance_up":0.1,"tolerance_down":0.1,`+
		`"resource":"cpu","cpu_init_s":300,"ready_delay_s":30,"min_replicas":1,"max_replicas":100,"downscale_window_s":300,`+
		`"pod":{"count":1,"phase":"Running","deleting":false,"ready":"True","start_age_s":86400,"no_start_time":false,`+
		`"ready_age_s":80000,"request_m":1000,"no_request":false,"sample_age_s":0,"window_s":60}},"cases":[`)
	synctest.Test(t, func(t *testing.T) { // in the bubble time stands still but for Sleep
		for i := int64(0); i < count; i++ {
			kind := kinds[int(i)%len(kinds)]
			c := object{"id": fmt.Sprintf("D%06d", i), "kind": kind.name}
			if want := kind.make(c, kind.name); want != nil {
				c["want"] = want
			}
			text, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(out, "%s\n%s", map[bool]string{true: "", false: ","}[i == 0], text)
		}
	})
	fmt.Fprint(out, "]}\n")
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
