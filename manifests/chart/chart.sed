# From the plain manifests to Helm's templates: what values.yaml names, and nothing else, becomes a value.
s~image: localhost/maestro:0.1~image: {{ .Values.image | quote }}{{ with .Values.imagePullPolicy }}\n        imagePullPolicy: {{ . }}{{ end }}~
s~namespace: default}\] # where this file is applied~namespace: {{ .Release.Namespace }}}]~
s~value: "http://prometheus-operated.monitoring:9090"~value: {{ .Values.prometheusUrl | quote }}~
s~kubernetes.io/metadata.name: monitoring}~kubernetes.io/metadata.name: {{ .Values.prometheusNamespace }}}~
s~replicas: 2 # one leads.*~replicas: {{ .Values.replicas }}~
s~{name: POLL_INTERVAL_SECONDS, value: "15"}~{name: POLL_INTERVAL_SECONDS, value: {{ .Values.pollIntervalSeconds | quote }}}~
s~{name: MAESTRO_SCALE_DOWN_WINDOW, value: 300s}~{name: MAESTRO_SCALE_DOWN_WINDOW, value: {{ .Values.scaleDownWindow | quote }}}~
s~{name: TARGET_DEPLOYMENT, value: target-app}~{name: TARGET_DEPLOYMENT, value: {{ .Values.targetDeployment | quote }}}{{ range $name, $value := .Values.env }}\n        - {name: {{ $name }}, value: {{ $value | quote }}}{{ end }}~
