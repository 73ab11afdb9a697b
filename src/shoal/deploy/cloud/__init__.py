"""What the compilers for clouds share: values, what each is asked of a plan, what a service is told."""
