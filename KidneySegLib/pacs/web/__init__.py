"""Archives reached by HTTP: DICOMweb and Orthanc's own interface."""
