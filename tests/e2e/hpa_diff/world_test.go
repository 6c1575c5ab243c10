// The world around the controller: a pod list, samples, a scale and a status, all in memory. It is compiled into a
// copy of package podautoscaler (see ../hpa_diff.sh), so that its unexported functions can be asked too.
package podautoscaler

import (
	"context"
	"errors"
	"strings"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	autoscalingclient "k8s.io/client-go/kubernetes/typed/autoscaling/v2"
	corelisters "k8s.io/client-go/listers/core/v1"
	scaleclient "k8s.io/client-go/scale"
	"k8s.io/client-go/tools/record"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/monitor"
	"k8s.io/kubernetes/pkg/controller/util/selectors"
)

const (
	namespace = "shop"
	hpaKey    = "shop/cart"
)

var errNoMetrics = errors.New("no metrics")

type world struct {
	pods       []*v1.Pod
	samples    metricsclient.PodMetricsInfo
	values     []int64          // of the object or external metric under test
	byName     map[string]int64 // values of the metrics that stand for proposals
	scale      autoscalingv1.Scale
	writeFails bool
	writes     int
	status     autoscalingv2.HorizontalPodAutoscalerStatus
}

// ---- pods ----

type podLister struct {
	corelisters.PodLister
	corelisters.PodNamespaceLister
	w *world
}

func (l podLister) Pods(string) corelisters.PodNamespaceLister { return l }
func (l podLister) List(labels.Selector) ([]*v1.Pod, error)    { return l.w.pods, nil }
func (l podLister) Get(string) (*v1.Pod, error)                { return nil, errNoMetrics }

// ---- metrics: the calculator changes the map that it is given, so it gets a copy ----

type metricsFake struct{ w *world }

func (m metricsFake) samples() (metricsclient.PodMetricsInfo, time.Time, error) {
	if len(m.w.samples) == 0 {
		return nil, time.Time{}, errNoMetrics
	}
	clone := metricsclient.PodMetricsInfo{}
	for name, sample := range m.w.samples {
		clone[name] = sample
	}
	return clone, time.Now(), nil
}

func (m metricsFake) GetResourceMetric(context.Context, v1.ResourceName, string, labels.Selector, string) (metricsclient.PodMetricsInfo, time.Time, error) {
	return m.samples()
}

func (m metricsFake) GetRawMetric(string, string, labels.Selector, labels.Selector) (metricsclient.PodMetricsInfo, time.Time, error) {
	return m.samples()
}

func (m metricsFake) GetObjectMetric(name, _ string, _ *autoscalingv2.CrossVersionObjectReference, _ labels.Selector) (int64, time.Time, error) {
	values, now, err := m.GetExternalMetric(name, "", nil)
	if err != nil {
		return 0, now, err
	}
	return values[0], now, nil
}

func (m metricsFake) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	if value, found := m.w.byName[name]; found {
		return []int64{value}, time.Now(), nil
	}
	if m.w.values == nil {
		return nil, time.Time{}, errNoMetrics
	}
	return m.w.values, time.Now(), nil
}

// ---- the API server: scale and status ----

type scales struct {
	scaleclient.ScalesGetter
	scaleclient.ScaleInterface
	w *world
}

func (s scales) Scales(string) scaleclient.ScaleInterface { return s }

func (s scales) Get(context.Context, schema.GroupResource, string, metav1.GetOptions) (*autoscalingv1.Scale, error) {
	clone := s.w.scale
	return &clone, nil
}

func (s scales) Update(_ context.Context, _ schema.GroupResource, scale *autoscalingv1.Scale, _ metav1.UpdateOptions) (*autoscalingv1.Scale, error) {
	if s.w.writeFails {
		return nil, errors.New("refused")
	}
	s.w.scale = *scale
	s.w.writes++
	return scale, nil
}

type hpas struct {
	autoscalingclient.HorizontalPodAutoscalersGetter
	autoscalingclient.HorizontalPodAutoscalerInterface
	w *world
}

func (h hpas) HorizontalPodAutoscalers(string) autoscalingclient.HorizontalPodAutoscalerInterface {
	return h
}

func (h hpas) UpdateStatus(_ context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler, _ metav1.UpdateOptions) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	h.w.status = hpa.Status
	return hpa, nil
}

type mapper struct{ apimeta.RESTMapper }

func (mapper) RESTMappings(schema.GroupKind, ...string) ([]*apimeta.RESTMapping, error) {
	return []*apimeta.RESTMapping{{Resource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}}}, nil
}

// ---- the controller over it ----

func (w *world) calculator(cpuInit, readyDelay time.Duration) *ReplicaCalculator {
	return NewReplicaCalculator(metricsFake{w}, podLister{w: w}, cpuInit, readyDelay)
}

func (w *world) controller(downscaleWindow time.Duration) *HorizontalController {
	w.scale.Status.Selector = "app=cart"
	return &HorizontalController{
		scaleNamespacer:              scales{w: w},
		hpaNamespacer:                hpas{w: w},
		mapper:                       mapper{},
		tolerance:                    0.1,
		replicaCalc:                  w.calculator(300*time.Second, 30*time.Second),
		eventRecorder:                &record.FakeRecorder{},
		downscaleStabilisationWindow: downscaleWindow,
		monitor:                      monitor.New(),
		podLister:                    podLister{w: w},
		recommendations:              map[string][]timestampedRecommendation{},
		scaleUpEvents:                map[string][]timestampedScaleEvent{},
		scaleDownEvents:              map[string][]timestampedScaleEvent{},
		hpaSelectors:                 selectors.NewBiMultimap(),
	}
}

// condition gives the reason of a condition, "" where it was never set.
func condition(status *autoscalingv2.HorizontalPodAutoscalerStatus, kind autoscalingv2.HorizontalPodAutoscalerConditionType) string {
	for _, c := range status.Conditions {
		if c.Type == kind {
			return c.Reason
		}
	}
	return ""
}

// errorKind gives the fixture's word for the calculator's error.
func errorKind(err error) string {
	for _, row := range []struct{ text, kind string }{
		{"unable to get metric", "no_metrics"},
		{"no pods returned by selector", "no_pods"},
		{"did not receive metrics", "no_samples"},
		{"missing request", "missing_request"},
		{"no metrics returned matched known pods", "zero_request"},
	} {
		if strings.Contains(err.Error(), row.text) {
			return row.kind
		}
	}
	panic(err)
}

func milli(value int64) *resource.Quantity {
	return resource.NewMilliQuantity(value, resource.DecimalSI)
}
